import { mkdir, mkdtemp, open as openFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodedCache } from '../../src/data/decoded-cache.js';
import { imageFiles } from '../../src/data/image-files.js';
import type { BatchOptions, Source } from '../../src/data/source.js';

/** More than are decoded at a time. */
const COUNT = 70;
const SIZE = 8 * 8 * 3;
const HEADER = 80;
let root: string;
let folder: string;
let files: string[];

beforeEach(async () => {
  await tf.setBackend('cpu');
  root = await mkdtemp(join(tmpdir(), 'eat-dml-decoded-'));
  folder = join(root, 'cache');
  await mkdir(join(root, 'images'));
  files = Array.from({ length: COUNT }, (_, i) => `${i}.png`);
  const raw = { width: 12, height: 10, channels: 3 } as const;
  for (const [i, file] of files.entries()) {
    const pixels = Uint8Array.from({ length: 360 }, (_, at) => (at * (i + 3)) % 256);
    await writeFile(join(root, 'images', file), await sharp(pixels, { raw }).png().toBuffer());
  }
});

afterEach(() => rm(root, { recursive: true }));

const open = (transform: object = { resize: 9, crop: 8 }): Source =>
  imageFiles({ name: 'pictures', root: join(root, 'images'), files, labels: files.map(() => 1), transform });

async function values(source: Source, indices: ArrayLike<number>, options?: BatchOptions): Promise<Float32Array> {
  const images = await source.batch(indices, options);
  const data = await images.data<'float32'>();
  images.dispose();
  return data as Float32Array;
}

const all = Array.from({ length: COUNT }, (_, i) => i);

test('the same bits as decoded, from one file, which is made once and needs no images', async () => {
  const expected = await values(open(), all);
  const before = tf.memory().numTensors;
  const cached = await decodedCache(open(), { folder });
  const [name, ...others] = await readdir(folder);
  expect(others).toEqual([]);
  expect(name).toBe(`${(await open().hash()).slice(0, 32)}.2.pixels`);
  expect(cached).toMatchObject({ name: 'pictures', shape: [8, 8, 3] });
  expect(await cached.hash()).toBe(await open().hash());
  const again = open();
  await again.hash();
  await rm(join(root, 'images'), { recursive: true });
  for (const source of [cached, await decodedCache(again, { folder })]) {
    expect(await values(source, all)).toEqual(expected);
    const chosen = await values(source, [69, 3, 3]);
    expect(chosen.slice(0, SIZE)).toEqual(expected.slice(69 * SIZE));
    expect(chosen.slice(2 * SIZE)).toEqual(expected.slice(3 * SIZE, 4 * SIZE));
    await expect(source.batch([70])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  }
  expect(tf.memory().numTensors).toBe(before);
});

test('random views are of the files, and another transform has another file', async () => {
  const random = { randomResizedCrop: 8, flip: true };
  const cached = await decodedCache(open(random), { folder });
  expect(await values(cached, [5, 6], { draw: 3 })).toEqual(await values(open(random), [5, 6], { draw: 3 }));
  expect(await values(cached, [5, 6])).toEqual(await values(open(random), [5, 6]));
  await decodedCache(open(), { folder });
  expect((await readdir(folder)).length).toBe(2);
});

test('a byte of an image or of a checksum that changed, and a file cut short, are found', async () => {
  const cached = await decodedCache(open(), { folder });
  const path = join(folder, (await readdir(folder))[0]);
  const length = HEADER + COUNT * (SIZE + 8);
  const change = async (position: number) => {
    const file = await openFile(path, 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    await file.write(Buffer.of(buffer[0] ^ 1), 0, 1, position);
    await file.close();
  };
  await change(HEADER + 7 * SIZE + 11);
  await change(HEADER + COUNT * SIZE + 9 * 8);
  for (const index of [7, 9]) {
    const error = await cached.batch([index]).catch((error) => error);
    expect(error).toMatchObject({ code: 'ERR_DATA', hint: expect.stringContaining('Delete it') });
    expect(error.message).toBe(`Expected the pixels of image ${index} that were kept but received others in ${path}.`);
  }
  await values(cached, [6, 8, 10]);
  await change(20);
  await expect(decodedCache(open(), { folder })).rejects.toThrow('the header of these pixels but received another');
  await change(20);
  await truncate(path, length - 1);
  await expect(decodedCache(open(), { folder })).rejects.toThrow(`${length} bytes but received ${length - 1}`);
  await rm(path);
  await expect(cached.batch([0])).rejects.toMatchObject({ code: 'ERR_DATA' });
});

test('a broken image and an abort leave nothing behind', async () => {
  const stop = new AbortController();
  const source = open();
  const slow: Source = {
    ...source,
    batch: async (indices, options) => {
      if (indices[0] > 0) stop.abort();
      return source.batch(indices, options);
    },
  };
  await expect(decodedCache(slow, { folder, signal: stop.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(await readdir(folder)).toEqual([]);
  await writeFile(join(root, 'images', '66.png'), 'text');
  await expect(decodedCache(open(), { folder })).rejects.toThrow(/a JPEG, PNG.* in .*66\.png/);
  expect(await readdir(folder)).toEqual([]);
});

test('options that are none', async () => {
  await expect(decodedCache(open(), { folder: 3 as never })).rejects.toThrow('a path for folder');
});
