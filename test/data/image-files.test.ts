import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { viewed } from '../../src/data/decoding/resize.js';
import type { ImageFilesOptions } from '../../src/data/image-files.js';
import { type BatchOptions, type Source, subset } from '../../src/data/source.js';
import { files, folderOfPictures, labels, picture, pictures, random } from './pictures.js';

let root: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  root = await folderOfPictures();
});

afterAll(() => rm(root, { recursive: true }));

const open = (options: Partial<ImageFilesOptions> = {}) => pictures(root, options);

async function values(source: Source, indices: ArrayLike<number>, options?: BatchOptions): Promise<Float32Array> {
  const images = await source.batch(indices, options);
  expect(images.shape).toEqual([indices.length, ...source.shape]);
  const data = await images.data<'float32'>();
  images.dispose();
  return data as Float32Array;
}

const all = Array.from(files.keys());
const size = 16 * 16 * 3;

test('batches hold the images in the order asked for, in [0, 1]', async () => {
  const source = open();
  expect(source).toMatchObject({ name: 'pictures', names: files, shape: [16, 16, 3], labels: Int32Array.from(labels) });
  const images = await values(source, all);
  const order = [7, 3, 3, 11, 0];
  const chosen = await values(source, order);
  for (const [at, index] of order.entries()) {
    expect(chosen.slice(at * size, (at + 1) * size)).toEqual(images.slice(index * size, (index + 1) * size));
  }
  const { data: pixels, info } = await sharp(await readFile(join(root, files[3])))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const view = { resized: { width: 20, height: 26 }, crop: { left: 2, top: 5, width: 16, height: 16 }, flip: false };
  const bytes = viewed({ ...info, pixels }, view);
  expect([...chosen.slice(size, 2 * size)]).toEqual([...bytes].map((byte) => Math.fround(byte / 255)));
});

test('the same bits of 1 and 4 at a time, by memory that was read before or not', async () => {
  const [one, four] = [1, 4].map((concurrency) => open({ transform: random, concurrency }));
  for (const draw of [undefined, 0, 1]) {
    const images = await values(one, all, { draw });
    expect(await values(four, all, { draw })).toEqual(images);
    const part = await values(four, [5, 2], { draw });
    expect(part.slice(0, size)).toEqual(images.slice(5 * size, 6 * size));
    expect(part.slice(size)).toEqual(images.slice(2 * size, 3 * size));
  }
});

test('views differ by draw, by seed, by image and by how often a batch has it; without a draw they are evaluation’s', async () => {
  const source = open({ transform: random });
  const [first, again, next] = await Promise.all([1, 1, 2].map((draw) => values(source, [4, 4], { draw })));
  expect(again).toEqual(first);
  expect(next.slice(0, size)).not.toEqual(first.slice(0, size));
  expect(first.slice(size)).not.toEqual(first.slice(0, size));
  expect((await values(open({ transform: random, seed: 1 }), [4], { draw: 1 })).slice()).not.toEqual(
    first.slice(0, size),
  );
  const copies = open({ transform: random, files: [files[4], files[4]], labels: [0, 0] });
  const both = await values(copies, [0, 1], { draw: 1 });
  expect(both.slice(size)).not.toEqual(both.slice(0, size));
  const evaluated = await values(source, [4]);
  expect(evaluated).toEqual(await values(open({ transform: { resize: 18, crop: 16 } }), [4]));
});

test('one channel', async () => {
  const source = open({ channels: 1 });
  expect(source.shape).toEqual([16, 16, 1]);
  const [grey, colour] = [await values(source, [1]), await values(open(), [1])];
  for (let i = 0; i < grey.length; i++) {
    const luma = 0.299 * colour[3 * i] + 0.587 * colour[3 * i + 1] + 0.114 * colour[3 * i + 2];
    expect(Math.abs(grey[i] - luma)).toBeLessThan(0.51 / 255);
  }
});

test('no tensor is left', async () => {
  const source = open();
  const before = tf.memory().numTensors;
  source.prefetch!([1, 2]);
  await values(source, [1, 2]);
  source.prefetch!([3]);
  await values(source, [1, 2]);
  expect(tf.memory().numTensors).toBe(before);
});

describe('prefetch', () => {
  test('changes no bits, of a subset neither', async () => {
    const plain = open({ transform: random });
    const hinted = open({ transform: random });
    const [part, partHinted] = [plain, hinted].map((source) => subset(source, [9, 1, 5, 3]));
    for (let step = 0; step < 6; step++) {
      const indices = [step % 4, (step + 1) % 4];
      partHinted.prefetch!([(step + 1) % 4, (step + 2) % 4], { draw: step + 1 });
      expect(await values(partHinted, indices, { draw: step })).toEqual(await values(part, indices, { draw: step }));
    }
  });

  test('is of a batch with its draw, and of the rows that a subset has', async () => {
    const source = open({ transform: random });
    const expected = await values(source, [1], { draw: 2 });
    source.prefetch!([1], { draw: 1 });
    expect(await values(source, [1], { draw: 2 })).toEqual(expected);
    const prefetch = vi.fn();
    subset({ ...source, prefetch }, [9, 1, 5]).prefetch!([2, 0], { draw: 4 });
    expect(prefetch).toHaveBeenCalledWith(Int32Array.of(5, 9), { draw: 4 });
    const plain: Source = { ...source, prefetch: undefined };
    subset(plain, [9]).prefetch!([0]);
  });

  test('reads a batch once, and what nobody asks for gives way', async () => {
    const folder = await mkdtemp(join(root, 'once-'));
    const name = (i: number) => join(folder, `${i}.jpg`);
    for (let i = 0; i < 4; i++) await writeFile(name(i), await picture(2 * i));
    const source = open({ root: folder, files: ['0.jpg', '1.jpg', '2.jpg', '3.jpg'], labels: [0, 0, 0, 0] });
    const expected = await values(source, [3]);
    for (let i = 0; i < 4; i++) source.prefetch!([i]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await rm(folder, { recursive: true });
    expect(await values(source, [3])).toEqual(expected);
    await values(source, [2]);
    // Two are kept, and each is given once.
    await expect(source.batch([0])).rejects.toThrow('received none');
    await expect(source.batch([3])).rejects.toThrow('received none');
  });

  test('says nothing of what is wrong until the batch is asked for', async () => {
    const source = open({ files: [...files.slice(1), 'nowhere.jpg'] });
    source.prefetch!([files.length - 1]);
    source.prefetch!([files.length]);
    source.prefetch!([]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(source.batch([files.length - 1])).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(source.batch([files.length])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('a hint that was aborted is read anew', async () => {
    const source = open();
    const expected = await values(source, all);
    const stop = new AbortController();
    source.prefetch!(all, { signal: stop.signal });
    stop.abort();
    expect(await values(source, all)).toEqual(expected);
  });
});

describe('errors', () => {
  test('of several broken files the first of the batch is named, whatever came first', async () => {
    const broken = ['bad-1.jpg', 'bad-2.jpg', 'bad-3.jpg'];
    const jpeg = await picture(0);
    await writeFile(join(root, broken[0]), jpeg.subarray(0, 400));
    await writeFile(join(root, broken[1]), 'text');
    const source = open({ files: [...files, ...broken], labels: [...labels, 0, 0, 0], concurrency: 4 });
    for (const [indices, name] of [
      [[0, 12, 13, 14], 'bad-1.jpg'],
      [[14, 13, 12], 'bad-3.jpg'],
      [[2, 13, 12, 3], 'bad-2.jpg'],
    ] as const) {
      const error = await source.batch(indices).catch((error) => error);
      expect(error).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA' });
      expect(error.message).toContain(join(root, name));
    }
    // It goes on where the files are sound.
    await values(source, [1, 2]);
  });

  test.each<[object, string, RegExp]>([
    [{ files: ['../secret.jpg'], labels: [0] }, 'ERR_DATA', /a path below .* but received "\.\.\/secret\.jpg"/],
    [{ files: ['a/../../x.jpg'], labels: [0] }, 'ERR_DATA', /a path below/],
    [{ files: ['/etc/hostname'], labels: [0] }, 'ERR_DATA', /a path below/],
    [{ files: ['.'], labels: [0] }, 'ERR_DATA', /a path below/],
    [{ files: ['a\0b'], labels: [0] }, 'ERR_DATA', /a path below/],
    [{ labels: [0] }, 'ERR_ARGUMENT', /12 values in labels/],
    [{ labels: labels.map(() => 0.5) }, 'ERR_ARGUMENT', /labels\[0\]/],
    [{ labels: undefined }, 'ERR_ARGUMENT', /for labels/],
    [{ files: [] }, 'ERR_ARGUMENT', /at least one path for files/],
    [{ files: 'a.jpg' }, 'ERR_ARGUMENT', /an array of paths for files/],
    [{ channels: 4 }, 'ERR_ARGUMENT', /for channels/],
    [{ concurrency: 0 }, 'ERR_ARGUMENT', /for concurrency/],
    [{ transform: { resize: 8, crop: 9 } }, 'ERR_ARGUMENT', /for transform\.crop/],
    [{ worker: 3 }, 'ERR_ARGUMENT', /among name, root, files/],
  ])('%o', (options, code, message) => {
    let thrown: unknown;
    try {
      open(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code });
    expect((thrown as Error).message).toMatch(message);
  });

  test('a path from the top of the disk is refused also where it leads inside', () => {
    expect(() => open({ files: [join(root, files[0])], labels: [0] })).toThrow('a path below');
  });

  test('a file whose name begins with two dots lies inside', () => {
    expect(open({ files: ['..a.jpg'], labels: [0] }).labels.length).toBe(1);
  });

  test.each([[[]], [[-1]], [[12]], [[0.5]]])('no batch of %j', async (indices) => {
    await expect(open().batch(indices)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});

test.each<[object, RegExp]>([
  [{ draw: 0.5 }, /an integer for draw/],
  [{ signal: {} }, /an AbortSignal for signal/],
])('a batch with %o is refused', async (options, message) => {
  await expect(open().batch([0], options as BatchOptions)).rejects.toThrow(message);
});

describe('abort', () => {
  const many = Array.from({ length: 600 }, (_, i) => i % files.length);

  test('ends a batch at once and starts no other file', async () => {
    const source = open({ concurrency: 2 });
    const stop = new AbortController();
    const batch = source.batch(many, { signal: stop.signal });
    setTimeout(() => stop.abort('enough'), 20);
    await expect(batch).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
    // What waited has left the line: the next batch need not wait for it.
    await values(source, [0]);
    await expect(source.batch([0], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(source.digests!({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(source.hash({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('leaves no listener on a signal that lives long', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    const source = open({ concurrency: 32 });
    for (let step = 0; step < 3; step++) {
      source.prefetch!(many.slice(0, 40 + step), { signal });
      await values(source, many.slice(0, 40 + step), { signal });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(add.mock.calls.length).toBeGreaterThan(0);
    expect(remove.mock.calls.length).toBeGreaterThanOrEqual(add.mock.calls.length);
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });
});
