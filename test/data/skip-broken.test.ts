import { mkdir, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { brokenFiles } from '../../src/data/broken-files.js';
import { decodeImage } from '../../src/data/decoding/decode.js';
import { imageFiles, inspect, openData, withoutBroken } from '../../src/data/index.js';
import { parseTransform, viewOf } from '../../src/data/transforms.js';
import type { ImageProgress } from '../../src/long-work.js';
import { picture } from './pictures.js';

let root: string;
let warnings: string[];
/** Four classes of three pictures each. */
const files = Array.from({ length: 12 }, (_, i) => `${'abcd'[Math.floor(i / 3)]}/${i}.${i % 2 ? 'png' : 'jpg'}`);
const at = (i: number) => join(root, files[i]);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'eat-dml-broken-'));
  for (const name of 'abcd') await mkdir(join(root, name));
  for (const i of files.keys()) await writeFile(at(i), await picture(i));
  warnings = [];
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(`${warning}`));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true });
});

/** One cut off in its last rows, one that is text, and one that is empty. */
async function damage(): Promise<void> {
  await truncate(at(4), (await readFile(at(4))).length - 20);
  await writeFile(at(7), 'this is no picture');
  await truncate(at(10));
}

const open = (skipBroken?: number) => openData('folder', { root, transform: { square: 8 }, skipBroken });

describe('broken images', () => {
  test('are found up front, left out by choice, and each named', async () => {
    await damage();
    const { train, test: unseen } = await open(3);
    expect([[...train!.labels], [...unseen!.labels]]).toEqual([
      [0, 0, 0, 1, 1],
      [2, 2, 3, 3],
    ]);
    expect(train!.leftOut).toEqual([files[4], files[7], files[10]]);
    expect(warnings.map((text) => /broken image\. Expected .* (?:at|in) (.*)\.$/.exec(text)?.[1])).toEqual(
      [4, 7, 10].map(at),
    );
    const images = await train!.batch([0, 1, 2, 3, 4]);
    images.dispose();
    // The same at every call, and not what the whole set was.
    const again = await open(3);
    expect([await again.train!.hash(), again.train!.splits]).toEqual([await train!.hash(), train!.splits]);
    await writeFile(at(4), await picture(4));
    expect(await (await open(3)).train!.hash()).not.toBe(await train!.hash());
  });

  test('beyond the number that was allowed are one error', async () => {
    await damage();
    await expect(open(2)).rejects.toMatchObject({
      ...{ code: 'ERR_DATA', message: expect.stringMatching(/^Expected at most 2 broken images among 12 but /) },
      hint: expect.stringContaining(at(4)),
    });
    expect(warnings).toEqual([]);
    await expect(open(-1)).rejects.toThrow(/an integer >= 0 for skipBroken/);
    for (const i of files.keys()) await writeFile(at(i), '');
    await expect(open(12)).rejects.toThrow(/one image at least that is not broken/);
  });

  test('are an error where nothing is said, in the listing or in their batch', async () => {
    await damage();
    await expect(open()).rejects.toThrow(`an empty file at ${at(10)}`);
    await writeFile(at(10), await picture(10));
    const { train } = await open(0);
    expect([train!.labels.length, train!.leftOut]).toEqual([6, undefined]);
    await expect(train!.batch([4])).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  test('of a list that names more than there are', async () => {
    const row = (id: number, label: number) => `${id} ${label} 1 ${files[id - 1]}\n`;
    const head = 'image_id class_id super_class_id path\n';
    await writeFile(join(root, 'Ebay_train.txt'), head + [1, 2, 4, 5].map((id) => row(id, id < 3 ? 1 : 2)).join(''));
    await writeFile(join(root, 'Ebay_test.txt'), head + [7, 8].map((id) => row(id, 3)).join(''));
    await unlink(at(3));
    await expect(openData('sop', { root })).rejects.toThrow(`none at ${at(3)}`);
    const { train } = await openData('sop', { root, skipBroken: 1 });
    expect([[...train!.labels], train!.leftOut]).toEqual([[1, 1, 2], [files[3]]]);
  });

  test('of a list of files of one’s own', async () => {
    await damage();
    const options = { name: 'own', root, files, labels: files.map((_, i) => i), transform: { square: 8 } };
    const whole = await withoutBroken(options, { skipBroken: 3 });
    const source = imageFiles(whole);
    expect([...source.labels]).toEqual([0, 1, 2, 3, 5, 6, 8, 9, 11]);
    expect(source.leftOut).toEqual([files[4], files[7], files[10]]);
    expect(await withoutBroken(options, { skipBroken: 0 })).toBe(options);
    await expect(withoutBroken(options, { skipBroken: 1 })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(withoutBroken(options, {} as never)).rejects.toThrow(/skipBroken/);
    await expect(withoutBroken(options, { skipBroken: 3, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });

  test('are looked for with progress, until that is stopped', async () => {
    await damage();
    const told: ImageProgress[] = [];
    const onProgress = (progress: ImageProgress) => void told.push(progress);
    const transform = { square: 8 };
    await openData('folder', { root, transform, skipBroken: 3, onProgress });
    const counts = told.map(({ phase, done, total }) => `${phase} ${done}/${total}`);
    expect(counts).toEqual(files.map((_, i) => `check ${i + 1}/12`));
    expect(told.at(-1)).toMatchObject({ etaSeconds: 0, imagesPerSecond: expect.any(Number) });
    expect(told.every(({ imagesPerSecond }) => imagesPerSecond > 0)).toBe(true);

    const controller = new AbortController();
    let seen = 0;
    const stop = () => ++seen === 2 && controller.abort();
    const options = { root, transform, skipBroken: 3, signal: controller.signal, onProgress: stop };
    await expect(openData('folder', options)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(warnings).toHaveLength(3);
    await expect(openData('folder', { root, skipBroken: 3, signal: 7 as never })).rejects.toThrow(
      /Expected an AbortSignal for signal/,
    );
    const again = { ...options, signal: AbortSignal.abort() };
    await expect(openData('folder', again)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const thrower = () => {
      throw new Error('mine');
    };
    await expect(openData('folder', { root, skipBroken: 3, onProgress: thrower })).rejects.toThrow('mine');
  });

  test('are faults of an inspection that verifies', async () => {
    await damage();
    await unlink(at(0));
    expect((await inspect(root)).faults).toHaveLength(1);
    const { images, faults } = await inspect(root, { verify: true });
    expect([images, faults.length]).toEqual([11, 3]);
    for (const [n, i] of [4, 7, 10].entries()) expect(faults[n]).toContain(at(i));
  });
});

test('what any view of an image fails at is found: cut off at every length', async () => {
  for (const i of [4, 5]) {
    const bytes = await readFile(at(i));
    for (let length = 0; length < bytes.length; length += 1 + (bytes.length >> 6)) {
      await writeFile(at(0), bytes.subarray(0, length));
      const whole = await decodeImage(bytes.subarray(0, length), 'cut', (size) =>
        viewOf(parseTransform({ square: 8 }), size),
      ).then(
        () => true,
        () => false,
      );
      const broken = [];
      for await (const some of brokenFiles(root, [files[0]])) broken.push(...some.broken);
      expect(broken.length, `${length} of ${bytes.length}`).toBe(whole ? 0 : 1);
    }
  }
});
