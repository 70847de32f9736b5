import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeImage } from '../../src/data/decoding/decode.js';
import { parseTransform, viewOf } from '../../src/data/transforms.js';
import { randomStream } from '../../src/random.js';
import { LONG } from '../long.js';

const VALID = ['colour.jpg', 'grey.jpg', 'cmyk.jpg', 'orientation-6.jpg', 'source_37x53.png'].map((name) =>
  readFileSync(new URL(`./fixtures/images/${name}`, import.meta.url)),
);
const COUNT = LONG ? 2000 : 200;
/** All that decoding may hold of such small files, lies about their size included. */
const MOST_BYTES = 400 * 2 ** 20;

/** One of the valid files with some of its bytes changed, cut, doubled or taken out. */
function mutated(run: number): Uint8Array {
  const random = randomStream(17, 'mutated-images', run);
  let bytes = Buffer.from(VALID[run % VALID.length]);
  for (let n = 1 + random.integer(4); n > 0 && bytes.length > 1; n--) {
    // The headers, where the sizes are, as often as all the rest.
    const at = random.integer(random.integer(2) ? bytes.length : Math.min(bytes.length, 64));
    const to = Math.min(bytes.length, at + 1 + random.integer(40));
    const deed = random.integer(6);
    if (deed === 0) bytes[at] ^= 1 << random.integer(8);
    else if (deed === 1) bytes[at] = [0, 1, 127, 128, 255][random.integer(5)];
    else if (deed === 2) bytes = bytes.subarray(0, at);
    else if (deed === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    else if (deed === 4) bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    else bytes.fill(random.integer(256), at, to);
  }
  return bytes;
}

test(`${COUNT} mutated JPEGs and PNGs: an image or one error each, in bounded memory`, async () => {
  const transforms = [{ resize: 24, crop: 20 }, { square: 20 }, { randomResizedCrop: 20, flip: true }].map(
    parseTransform,
  );
  const before = process.memoryUsage().rss;
  const seen = { images: 0, errors: 0 };
  for (let run = 0; run < COUNT; run++) {
    const random = run % 2 ? undefined : randomStream(1, run);
    const view = (size: { width: number; height: number }) => viewOf(transforms[run % 3], size, random);
    const file = `mutated-${run}`;
    try {
      const pixels = await decodeImage(mutated(run), file, view, run % 5 === 4 ? 1 : 3);
      expect(pixels.length, file).toBe(run % 5 === 4 ? 400 : 1200);
      seen.images++;
    } catch (error) {
      expect(error, file).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA' });
      expect((error as Error).message, file).toMatch(/^Expected .* but received .* in mutated-\d+\.$/);
      seen.errors++;
    }
    expect(process.memoryUsage().rss - before, file).toBeLessThan(MOST_BYTES);
  }
  // Neither does everything pass nor nothing.
  expect(Math.min(seen.images, seen.errors)).toBeGreaterThan(COUNT / 10);
});
