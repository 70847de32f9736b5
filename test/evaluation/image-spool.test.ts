import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { ImageSpool } from '../../src/evaluation/image-spool.js';

const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('eat-dml-spool-')).sort();

it.each([
  ['in memory', 48],
  ['in a file', 47],
])('images come back as they were written, %s', async (_, limit) => {
  const before = await folders();
  const spool = new ImageSpool(3, 4, limit);
  const values = Float32Array.of(0.1, -1, 3);
  await spool.write(3, values);
  await spool.write(0, Float32Array.of(4, 5, 6));
  // What the caller writes later is not the spool's.
  values.fill(9);
  await spool.write(1, Float32Array.of(0, 0, 0));
  await spool.write(1, Float32Array.of(7, 8, 9).subarray(0));
  expect(await spool.read(Int32Array.of(3, 1, 0))).toEqual(Float32Array.of(0.1, -1, 3, 7, 8, 9, 4, 5, 6));
  expect((await folders()).length - before.length).toBe(limit === 47 ? 1 : 0);
  await spool.dispose();
  expect(await folders()).toEqual(before);
});
