import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type IdxArray, type IdxData, writeIdx } from '../../src/data/idx.js';
import { idxDataset } from '../../src/data/idx-dataset.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-idx-dataset-'));
const paths = { images: join(folder, 'images.idx'), labels: join(folder, 'labels.idx') };
afterAll(() => rmSync(folder, { recursive: true }));

const images: IdxArray = { shape: [3, 4, 4], data: new Uint8Array(48) };
const labels = (data: IdxData, shape = [data.length]): IdxArray => ({ shape, data });

async function read(imagesOf: IdxArray, labelsOf: IdxArray) {
  await writeIdx(paths.images, imagesOf);
  await writeIdx(paths.labels, labelsOf);
  return idxDataset(paths);
}

test('grey and colour images are read with labels of any type that are integers', async () => {
  const grey = await read(images, labels(Float64Array.of(7, -1, 7)));
  expect(grey).toMatchObject({ name: paths.images, shape: [4, 4, 1], length: 3, labels: Int32Array.of(7, -1, 7) });
  const colour = await read({ shape: [1, 2, 8, 3], data: new Uint8Array(48) }, labels(Int16Array.of(300)));
  expect(colour).toMatchObject({ shape: [2, 8, 3], length: 1, labels: Int32Array.of(300) });
});

test.each<[string, IdxArray, IdxArray, RegExp, 'images' | 'labels']>([
  [
    'a fraction',
    images,
    labels(Float32Array.of(0, 1.5, 1)),
    /an integer as label 1 \(byte 12\) but received 1\.5/,
    'labels',
  ],
  ['NaN', images, labels(Float64Array.of(0, 1, NaN)), /an integer as label 2 \(byte 24\) but received NaN/, 'labels'],
  ['beyond 32 bits', images, labels(Float64Array.of(2 ** 31, 1, 2)), /32 bits as label 0 \(byte 8\)/, 'labels'],
  ['rounded by float32', images, labels(Float32Array.of(0, 1, 2 ** 24 + 2)), /below 2\^24.* as label 2/, 'labels'],
  [
    'one label too few',
    images,
    labels(Uint8Array.of(0, 1)),
    /labels \[3\], one for each image in .* received \[2\]/,
    'labels',
  ],
  [
    'labels of two dimensions',
    images,
    labels(Uint8Array.of(0, 1, 2), [1, 3]),
    /labels \[3\].* received \[1, 3\]/,
    'labels',
  ],
  [
    'float images',
    { shape: [3, 4, 4], data: new Float32Array(48) },
    labels(Uint8Array.of(0, 1, 2)),
    /of bytes/,
    'images',
  ],
  [
    'images of two dimensions',
    { shape: [3, 16], data: images.data },
    labels(Uint8Array.of(0, 1, 2)),
    /\[3, 16\]/,
    'images',
  ],
  ['no image', { shape: [0, 4, 4], data: new Uint8Array(0) }, labels(Uint8Array.of()), /at least one/, 'images'],
  ['two channels', { shape: [3, 4, 2, 2], data: images.data }, labels(Uint8Array.of(0, 1, 2)), /c 1 or 3/, 'images'],
])('%s: ERR_DATA that names the file and the place', async (_, imagesOf, labelsOf, message, file) => {
  const error = await read(imagesOf, labelsOf).catch((e) => e);
  expect(error).toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) });
  expect(error.message).toContain(` in ${paths[file]}.`);
});

test('channels first are refused with the order that is wanted', async () => {
  const chw = { shape: [2, 3, 4, 2], data: images.data };
  await expect(read(chw, labels(Uint8Array.of(0, 1)))).rejects.toMatchObject({
    code: 'ERR_DATA',
    hint: expect.stringContaining('Channels last'),
  });
});
