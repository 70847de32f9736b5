import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../src/random.js';
import { QUICKER } from '../evaluation/brief.js';
import { LONG } from '../long.js';
import { runCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
const images = join(folder, 'photographs');
const config = join(folder, 'config.json');
const KILLS = LONG ? 10 : 1;
/** A step takes some milliseconds, and each is saved. */
const EPOCHS = LONG ? 60 : 12;

beforeAll(async () => {
  for (const [kind, name] of ['ant', 'bee', 'cat', 'dog'].entries()) {
    mkdirSync(join(images, name), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const [width, height] = [14 + i, 12];
      const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * (7 * kind + i + 1)) % 256);
      const image = sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 90 });
      await image.toFile(join(images, name, `${i}.jpg`));
    }
  }
  const settings = {
    data: { name: 'folder', root: images, transform: { resize: 10, randomResizedCrop: 8, flip: true }, seed: 3 },
    model: { kind: 'conv', width: 2, dimension: 4 },
    training: { epochs: EPOCHS, batch: { size: 4 }, checkpointEverySteps: 1 },
    ...{ method: { name: 'standard' }, backend: QUICKER, seed: 2 },
  };
  writeFileSync(config, JSON.stringify(settings));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (out: string, more: string[], kill?: (kill: (signal: NodeJS.Signals) => void) => void) => {
  let told = false;
  const args = ['train', '--config', config, '--data', `folder:${images}`, '--out', out, ...more];
  return runCli(args, {
    // What it is told at the start says that the process is there to be killed.
    onStderr: (_, send) => {
      if (!told) kill?.(send);
      told = true;
    },
  });
};

/** SHA-256 of everything that a run's checkpoint holds, its optimizer's state too, by file. */
function bitsOf(out: string): Record<string, string> {
  const { files } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  return Object.fromEntries(files.map(({ path, sha256 }: Record<string, string>) => [basename(path), sha256]));
}

const savedAt = (out: string) => statSync(join(out, 'manifest.json'), { throwIfNoEntry: false })?.mtimeMs;

test(`training on JPEGs with random views, killed ${KILLS} times at random moments, gives the bits of one that was not`, async () => {
  const whole = join(folder, 'whole');
  expect((await train(whole, [])).code).toBe(0);
  const out = join(folder, 'killed');
  const moments = randomStream(9, 'kills');
  for (let n = 0; n < KILLS; n++) {
    const before = savedAt(out);
    const { code } = await train(out, n > 0 ? ['--resume'] : [], (kill) => {
      // From the first step that is saved on, within or between two saves.
      const poll = setInterval(() => {
        if (savedAt(out) === before) return;
        clearInterval(poll);
        setTimeout(() => kill('SIGKILL'), 30 * moments.uniform());
      }, 1);
    });
    expect(code, `kill ${n}: it had ended before`).toBeNull();
    expect(existsSync(join(out, 'manifest.json'))).toBe(true);
  }
  expect(bitsOf(out)).not.toEqual(bitsOf(whole));
  const last = await train(out, ['--resume']);
  expect([last.code, last.stderr]).toEqual([0, expect.stringContaining('12 images of folder')]);
  expect(bitsOf(out)).toEqual(bitsOf(whole));
}, 300_000);
