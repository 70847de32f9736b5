import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openData } from '../../src/data/index.js';
import { parquetArchive } from '../../src/data/layouts/parquet.js';
import { randomStream } from '../../src/random.js';
import expected from './fixtures/expected.json' with { type: 'json' };

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-open-'));
const cache = process.env.EAT_DML_CACHE;
beforeAll(() => {
  process.env.EAT_DML_CACHE = folder;
});
afterAll(() => {
  if (cache === undefined) delete process.env.EAT_DML_CACHE;
  else process.env.EAT_DML_CACHE = cache;
  rmSync(folder, { recursive: true, force: true });
});

const fixture = (name: string) => `test/data/fixtures/${name}`;
const golden = (name: string) => `test/goldens/${name}`;
const counts = (sides: object) =>
  Object.fromEntries(Object.entries(sides).map(([side, { labels }]) => [side, labels.length]));

describe('openData of the miniature archives', () => {
  it.each([
    ['cub200', 'CUB_200_2011', expected.cub],
    ['in-shop', 'inshop', expected.inshop],
    ['sop', 'Stanford_Online_Products', expected.sop],
  ] as const)('%s: sides as papers have them, every image read', async (name, at, sides) => {
    const opened = await openData(name, { root: fixture(at), transform: { square: 6 } });
    const wanted = Object.entries(sides).filter(([side]) => ['train', 'test', 'query', 'gallery'].includes(side));
    expect(counts(opened)).toEqual(
      Object.fromEntries(wanted.map(([side, list]) => [side, (list as unknown[]).length])),
    );
    for (const source of Object.values(opened)) {
      const images = await source.batch([...source.labels.keys()]);
      expect(images.shape).toEqual([source.labels.length, 6, 6, 3]);
      images.dispose();
      expect(source.splits![0]).toMatchObject({ kind: 'zero-shot' });
    }
    expect(opened.query?.role).toBe(name === 'in-shop' ? 'query' : undefined);
  });

  it('every side has the names of the classes, where the archive has some', async () => {
    const namesIn = async (name: 'cub200' | 'in-shop' | 'sop' | 'cars196', at: string) =>
      Object.values(await openData(name, { root: fixture(at), transform: { square: 6 } })).map((one) => one.classNames);
    for (const names of await namesIn('cub200', 'CUB_200_2011')) expect(names![1]).toBe('001.Black_footed_Albatross');
    for (const names of await namesIn('in-shop', 'inshop')) expect(Object.values(names!)[0]).toMatch(/^id_0/);
    for (const names of await namesIn('cars196', 'cars_union')) expect(names![1]).toMatch(/\w/);
    expect(await namesIn('sop', 'Stanford_Online_Products')).toEqual([undefined, undefined]);
  });

  it('has the sides that are asked for, or says which it has', async () => {
    const transform = { square: 6 };
    const { query, train } = await openData('in-shop', { root: fixture('inshop'), transform, sides: ['query'] });
    // TypeScript knows of the one and not of the other.
    expect([query.labels.length, train?.labels.length]).toEqual([4, 3]);
    const missing = openData('sop', { root: fixture('Stanford_Online_Products'), sides: ['train', 'query'] });
    await expect(missing).rejects.toMatchObject({
      ...{ code: 'ERR_DATA', message: 'Expected a side query of sop but it has train, test.' },
    });
    const none = openData('sop', { root: 'x', sides: ['tset' as 'test'] });
    await expect(none).rejects.toThrow(/for sides\[0\] but received "tset"; did you mean test/);
  });
});

describe('openData of Parquet files', () => {
  const transform = { square: 2 };

  it('pools the parts and splits by class', async () => {
    const { train, test } = await openData('parquet', { root: golden('parquet'), transform });
    expect([[...train!.labels], [...test!.labels]]).toEqual([
      [0, 0, 1, 1],
      [2, 3, 3, 2],
    ]);
  });

  it('gives the images that were written, from the cache too', async () => {
    for (let time = 0; time < 2; time++) {
      const { test: all } = await openData('parquet', { root: golden('parquet'), split: 'none', transform });
      // The test part is the first by name.
      expect([...all!.labels]).toEqual([2, 3, 3, 0, 0, 1, 1, 2]);
      const images = await all!.batch([1, 7]);
      const bytes = Array.from(await images.data(), (value) => Math.round(255 * value));
      images.dispose();
      expect([bytes.slice(0, 3), bytes.slice(12, 15)]).toEqual([
        [110, 145, 55],
        [40, 215, 20],
      ]);
    }
    const { classNames } = await parquetArchive(golden('parquet'), folder);
    expect(classNames.get(2)).toBe('cat');
    const { test: named } = await openData('parquet', { root: golden('parquet'), transform });
    expect(named!.classNames).toMatchObject({ 2: 'cat' });
  });

  it('says what is wrong with a file', async () => {
    const open = (root: string) => openData('parquet', { root });
    await expect(open(folder)).rejects.toMatchObject({ code: 'ERR_DATA' });
    const bytes = readFileSync(golden('parquet/test-00000-of-00001.parquet'));
    const random = randomStream(2, 'parquet');
    for (let i = 0; i < 60; i++) {
      const damaged = Uint8Array.from(bytes);
      for (let n = 0; n < 4; n++) damaged[random.integer(bytes.length)] = random.integer(256);
      const path = join(folder, `damaged-${i}.parquet`);
      writeFileSync(path, i % 3 === 0 ? damaged.subarray(0, random.integer(bytes.length)) : damaged);
      await open(path).catch((error) => {
        expect(error).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA' });
      });
    }
  });
});

describe('openData of .npz files', () => {
  it('takes the sides in the file, or halves of the classes', async () => {
    const sides = await openData('npz', { root: golden('npz-sides.npz') });
    expect(counts(sides)).toEqual({ train: 2, test: 3 });
    expect([sides.train!.shape, [...sides.train!.labels]]).toEqual([
      [2, 2, 3],
      [1, 2],
    ]);
    const { train, test } = await openData('npz', { root: golden('npz-all.npz') });
    expect([train!.labels, test!.labels]).toEqual([Int32Array.of(5, 5), Int32Array.of(9, 9)]);
    const images = await test!.batch([1]);
    expect(images.shape).toEqual([1, 3, 2, 1]);
    expect(Array.from(images.dataSync(), (value) => Math.round(255 * value))).toEqual([18, 19, 20, 21, 22, 23]);
    images.dispose();
    expect(counts(await openData('npz', { root: golden('npz-all.npz'), split: 'none' }))).toEqual({ test: 4 });
    expect(counts(await openData('npz', { root: golden('npz-sides.npz'), validation: 0.5 }))).toMatchObject({
      validation: 1,
    });
  });

  it('says what is wrong with a file', async () => {
    const bytes = readFileSync(golden('npz-sides.npz'));
    const random = randomStream(3, 'npz');
    for (let i = 0; i < 300; i++) {
      const damaged = Uint8Array.from(bytes);
      for (let n = 0; n < 4; n++) damaged[random.integer(bytes.length)] = random.integer(256);
      const path = join(folder, 'damaged.npz');
      writeFileSync(path, i % 3 === 0 ? damaged.subarray(0, random.integer(bytes.length)) : damaged);
      await openData('npz', { root: path }).catch((error) => {
        expect(error).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA' });
      });
    }
    await expect(openData('npz', { root: join(folder, 'none.npz') })).rejects.toThrow(
      /readable \.npz file but received none at/,
    );
    const random2 = openData('npz', { root: golden('npz-sides.npz'), split: 'random' });
    await expect(random2).rejects.toThrow('papers, as');
  });
});
