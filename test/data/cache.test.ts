import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Cache, keep, type ParsedArrays, readCache, remake, writeCache } from '../../src/data/cache.js';
import { EatDmlError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-cache-'));
const cache: Cache = {
  ...{
    name: 'tiny',
    title: 'Tiny',
    folder,
    images: 'images.gz',
    labels: 'labels',
    names: 'names.json',
    shape: [2, 2, 1],
  },
};
const arrays: ParsedArrays = {
  images: { shape: [3, 2, 2], data: Uint8Array.from({ length: 12 }, (_, i) => i) },
  labels: { shape: [3], data: Int32Array.of(5, 6, 7) },
  names: ['a:five', 'a:six', 'b:seven'],
};
const files = [cache.images, cache.labels, 'names.json', 'checksums.json'].map((file) => join(folder, file));
const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});

beforeEach(() => writeCache(cache, arrays));
afterEach(() => warn.mockClear());
afterAll(() => rmSync(folder, { recursive: true }));

test('what is kept is read as it was', async () => {
  expect(await readCache(cache)).toEqual(await keep(cache, arrays));
  expect(await readCache({ ...cache, folder: join(folder, 'none') })).toBeUndefined();
});

test('one without checksums was not finished, and is none', async () => {
  rmSync(files[3]);
  expect(await readCache(cache)).toBeUndefined();
});

describe.each(files)('a changed %s', (path) => {
  test('is noticed wherever a byte differs', async () => {
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] ^= 1 << (at % 7);
      writeFileSync(path, flipped);
      const read = await readCache(cache).catch((error) => error);
      expect(read, `byte ${at}`).toMatchObject({ code: 'ERR_DATA', message: expect.stringContaining(folder) });
    }
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
  ])('is noticed where it is %s', async (_, text) => {
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
    const read = await readCache(cache).catch((error) => error);
    if (path.endsWith('checksums.json') && text === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject({ code: 'ERR_DATA', message: expect.stringContaining(path) });
  });
});

test('one of another shape is damaged, though its checksums fit', async () => {
  await expect(readCache({ ...cache, shape: [4, 1, 1] })).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining(`images of [4, 1, 1] but received [2, 2, 1] in ${files[0]}`),
  });
});

describe('remaking', () => {
  const damage = new EatDmlError('ERR_DATA', 'Expected it whole.');

  test('makes the cache good, and says so', async () => {
    writeFileSync(files[0], 'changed');
    expect(await remake(cache, damage, 'Fetch it.', async () => arrays)).toEqual(await readCache(cache));
    expect(warn).toHaveBeenCalledExactlyOnceWith('eat-dml made the cache of Tiny anew. Expected it whole.');
  });

  test('that fails is the damage, with the remedy', async () => {
    const gone = () => Promise.reject(new Error('gone'));
    const error = { code: 'ERR_DATA', message: 'Expected it whole.', hint: 'Fetch it.' };
    await expect(remake(cache, damage, 'Fetch it.', gone)).rejects.toMatchObject(error);
    expect(warn).not.toHaveBeenCalled();
  });

  test('is for damage alone', async () => {
    const fault = new TypeError('a fault of ours');
    await expect(remake(cache, fault, 'Fetch it.', async () => arrays)).rejects.toBe(fault);
  });

  test('goes on where it cannot be kept, with a warning', async () => {
    const blocked = { ...cache, folder: join(files[1], 'below a file') };
    expect(await remake(blocked, damage, 'Fetch it.', async () => arrays)).toMatchObject({ length: 3 });
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^eat-dml keeps no cache of Tiny: .*ENOTDIR/));
  });
});
