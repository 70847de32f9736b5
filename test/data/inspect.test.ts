import { cp, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inspect } from '../../src/data/inspect.js';

const FIXTURES = 'test/data/fixtures';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eat-dml-inspect-'));
});
afterEach(() => rm(folder, { recursive: true }));

const copy = (name: string) => cp(join(FIXTURES, name), folder, { recursive: true });

test('what each miniature holds, without a fault', async () => {
  const found = (name: string) => inspect(join(FIXTURES, name));
  expect(await found('CUB_200_2011')).toEqual({
    ...{ layout: 'cub200', images: 12, classes: 6, faults: [], faultCount: 0 },
    classNames: expect.objectContaining({ 1: '001.Black_footed_Albatross' }),
    splits: { train: { images: 6, classes: 3 }, test: { images: 6, classes: 3 } },
  });
  expect(await found('inshop')).toEqual({
    ...{ layout: 'in-shop', images: 11, classes: 5, faults: [], faultCount: 0 },
    classNames: expect.any(Object),
    splits: {
      ...{ train: { images: 3, classes: 2 }, query: { images: 4, classes: 3 } },
      gallery: { images: 4, classes: 3 },
    },
  });
  expect(await found('Stanford_Online_Products')).toMatchObject({ images: 8, classes: 4, faults: [] });
  expect(await found('Stanford_Online_Products')).not.toHaveProperty('classNames');
  // Of the classes that there are, not of all that its list names.
  expect(Object.keys((await found('CUB_200_2011')).classNames!)).toHaveLength(6);
  expect(await found('cars_devkit')).toMatchObject({ layout: 'cars196/devkit', images: 11, classes: 4, faults: [] });
});

test('Parquet files and .npz files have the same form', async () => {
  const parquet = {
    ...{ layout: 'parquet', images: 8, classes: 4, faults: [], faultCount: 0 },
    classNames: expect.objectContaining({ 2: 'cat' }),
    splits: { train: { images: 4, classes: 2 }, test: { images: 4, classes: 2 } },
  };
  expect(await inspect('test/goldens/parquet')).toEqual(parquet);
  expect(await inspect('test/goldens/parquet/test-00000-of-00001.parquet')).toMatchObject({ images: 3, faults: [] });
  expect(await inspect('test/goldens/npz-sides.npz')).toEqual({
    ...{ layout: 'npz', images: 5, classes: 4, faults: [], faultCount: 0 },
    splits: { train: { images: 2, classes: 2 }, test: { images: 3, classes: 2 } },
  });
  expect(await inspect('test/goldens/npz-all.npz')).toMatchObject({
    splits: { train: { images: 2, classes: 1 }, test: { images: 2, classes: 1 } },
  });
});

test('a Parquet or .npz file that is broken is a fault', async () => {
  const npz = join(folder, 'a.npz');
  const none = { images: 0, classes: 0, splits: {} };
  await writeFile(npz, 'no archive');
  expect(await inspect(npz)).toEqual({ layout: 'npz', ...none, faults: [expect.stringContaining(npz)], faultCount: 1 });
  const parquet = join(folder, 'a.parquet');
  await writeFile(parquet, 'no columns');
  const faults = [expect.stringMatching(/^Expected a Parquet file but received .* in .*a\.parquet\.$/)];
  expect(await inspect(folder)).toEqual({ layout: 'parquet', ...none, faults, faultCount: 1 });
  expect(await inspect(parquet)).toEqual({ layout: 'parquet', ...none, faults, faultCount: 1 });
  await expect(inspect(folder, { as: 'cub200' })).rejects.toThrow(/none of: cub200/);
});

test('images that are missing, empty or no files are faults, and counted', async () => {
  await copy('Stanford_Online_Products');
  const image = (name: string) => join(folder, 'bicycle_final', name);
  await unlink(image('111085122871_1.JPG'));
  await truncate(image('111265328556_0.JPG'));
  await writeFile(image('._111265328556_0.JPG'), 'not listed');
  const { images, faults } = await inspect(folder);
  expect(images).toBe(8);
  expect(faults).toEqual([
    `Expected an image but received none at ${image('111085122871_1.JPG')}, listed in Ebay_train.txt or Ebay_test.txt.`,
    `Expected an image but received an empty file at ${image('111265328556_0.JPG')}, listed in Ebay_train.txt or Ebay_test.txt.`,
  ]);
});

test('lines that are wrong are faults, and left out; 20 are told, and all counted', async () => {
  await copy('CUB_200_2011');
  await writeFile(
    join(folder, 'images.txt'),
    '1 001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg\n'.repeat(30),
  );
  const { images, classes, faults, faultCount } = await inspect(folder, { as: 'cub200' });
  // 29 lines of the same image, and 11 labels of images that are in no list.
  expect([images, classes, faults.length, faultCount]).toEqual([1, 1, 20, 40]);
  expect(faults[0]).toBe(
    `Expected each image_id once but received "1 again" in ${join(folder, 'images.txt')}, line 2.`,
  );
});

test('a list that is missing or no list is a fault; a folder without a layout an error', async () => {
  await copy('CUB_200_2011');
  await unlink(join(folder, 'images.txt'));
  const none = { layout: 'cub200', images: 0, classes: 0, splits: {} };
  const path = join(folder, 'images.txt');
  expect(await inspect(folder)).toEqual({
    ...none,
    faults: [`Expected a readable file but received none at ${path}.`],
    faultCount: 1,
  });
  await expect(inspect(folder, { as: 'sop' })).rejects.toThrow(/none of: sop/);
  await expect(inspect(folder, { as: 'cup200' })).rejects.toThrow(/for as but received "cup200"; did you mean cub200/);
  await expect(inspect(folder, { has: 'sop' } as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await expect(inspect(7 as never)).rejects.toThrow(/a string for path but received 7/);
});

test('stops when it is aborted', async () => {
  await expect(inspect(join(FIXTURES, 'inshop'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
  });
});
