import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IdxArray, type IdxData, readIdx, writeIdx } from '../../src/data/idx.js';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eat-dml-idx-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Those bytes and `count` zeros, gzipped piece by piece. */
async function zeros(head: Uint8Array, count: number): Promise<Uint8Array> {
  const piece = Buffer.alloc(2 ** 20);
  const pieces = Readable.from([head, ...new Array(count / piece.length).fill(piece)]);
  return buffer(pieces.pipe(createGzip()));
}

const dataArrays: fc.Arbitrary<IdxData> = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.int16Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
);

describe('round trip', () => {
  test('every dtype, plain and gzipped', async () => {
    await fc.assert(
      fc.asyncProperty(dataArrays, fc.boolean(), async (data, zipped) => {
        const path = at(zipped ? 'round.gz' : 'round');
        await writeIdx(path, { shape: [data.length, 1], data });
        const back = await readIdx(path);
        expect(back.shape).toEqual([data.length, 1]);
        expect(back.data).toStrictEqual(data);
      }),
      { numRuns: 60 },
    );
  });

  test('a view into a larger buffer writes only itself', async () => {
    const data = new Int16Array([9, 8, 7, 6]).subarray(1, 3);
    await writeIdx(at('view'), { shape: [2], data });
    expect((await readIdx(at('view'))).data).toEqual(Int16Array.of(8, 7));
    expect(data).toEqual(Int16Array.of(8, 7));
  });
});

describe('format', () => {
  test('bytes are those of the published format', async () => {
    await writeIdx(at('bytes'), { shape: [2, 1], data: Int32Array.of(1, -2) });
    const expected = [0, 0, 0x0c, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe];
    expect([...(await readFile(at('bytes')))]).toEqual(expected);
  });

  test('gzip is seen from the content, whatever the name', async () => {
    await writeIdx(at('a.gz'), { shape: [3], data: Uint8Array.of(1, 2, 3) });
    await writeFile(at('zipped-without-ending'), await readFile(at('a.gz')));
    await writeFile(at('plain.gz'), gunzipSync(await readFile(at('a.gz'))));
    for (const name of ['zipped-without-ending', 'plain.gz']) {
      expect((await readIdx(at(name))).data).toEqual(Uint8Array.of(1, 2, 3));
    }
  });
});

describe('files that are no whole IDX file', () => {
  const whole = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
  test.each([
    ['empty', [], /header of at least 4 bytes but received 0 bytes/],
    ['shorter than the magic number', whole.slice(0, 3), /at least 4 bytes but received 3 bytes/],
    ['another format', [0x89, 0x50, 0x4e, 0x47], /magic number of IDX .* but received 0x89504e47/],
    ['an unknown type', [0, 0, 0x0a, 1, 0, 0, 0, 0], /but received 0x00000a01/],
    ['no dimension', [0, 0, 8, 0], /but received 0x00000800/],
    ['cut in the header', whole.slice(0, 9), /header of 12 bytes \(2 dimensions\) but received 9/],
    ['cut in the data', whole.slice(0, -1), /6 bytes of data \(2 x 3 x 1\) but received 5/],
    ['bytes after the data', [...whole, 7], /6 bytes of data \(2 x 3 x 1\) but received 7/],
    ['a huge claim', [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255], /bytes of data .* but received 0/],
    ['gzip cut short', [...gzipSync(Uint8Array.from(whole))].slice(0, -9), /readable IDX file but received/],
  ])('%s', async (name, bytes, message) => {
    await writeFile(at('bad'), Uint8Array.from(bytes));
    const error = await readIdx(at('bad')).catch((e) => e);
    expect(error).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA', message: expect.stringMatching(message) });
    expect(error.message, name).toContain(at('bad'));
  });

  test('any truncation of a good file is noticed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        await writeFile(at('cut'), Uint8Array.from(whole.slice(0, length)));
        await expect(readIdx(at('cut'))).rejects.toMatchObject({ code: 'ERR_DATA' });
      }),
    );
  });

  test.each([
    ['says less than it holds', [0, 0, 8, 1, 0, 0, 0, 5], /5 bytes of data \(5 x 1\) but received more in/],
    [
      'says more than it can hold',
      [0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 0, 9],
      /bytes of data .* but received at most/,
    ],
    ['is none', [7, 7, 7, 7], /magic number of IDX .* 0x07070707/],
  ])('a gzip bomb whose header %s is given up after its first bytes', async (_, header, message) => {
    const size = 2 ** 28;
    await writeFile(at('bomb'), await zeros(Uint8Array.from(header), size));
    const before = process.resourceUsage().maxRSS;
    await expect(readIdx(at('bomb'))).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(message),
    });
    // In KB; reading it whole would take what it inflates to.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(size / 1024 / 4);
  });

  test('a missing file', async () => {
    await expect(readIdx(at('none'))).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: `Expected a readable IDX file but received ENOENT at ${at('none')}.`,
    });
  });
});

describe('writing', () => {
  test.each([
    ['shape and data differ', { shape: [2, 2], data: new Uint8Array(3) }, /Expected 4 values \(2 x 2\) for data/],
    ['a type IDX has not', { shape: [2], data: new Uint16Array(2) }, /Float64Array for data/],
    ['no shape', { shape: [], data: new Uint8Array(1) }, /1 to 255 integers/],
    ['a negative size', { shape: [-1], data: new Uint8Array(1) }, /1 to 255 integers/],
  ])('refuses %s and writes nothing', async (_, array, message) => {
    await expect(writeIdx(at('refused'), array as IdxArray)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(message),
    });
    expect(await readdir(folder)).not.toContain('refused');
  });

  test('a failed write leaves no temporary file and names the path', async () => {
    await writeFile(at('file'), 'x');
    const under = join(at('file'), 'below');
    const refused = { code: 'ERR_PATH', message: expect.stringContaining(under) };
    await expect(writeIdx(under, { shape: [1], data: Uint8Array.of(1) })).rejects.toMatchObject(refused);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('writers at the same time leave one whole file', async () => {
    const writes = Array.from({ length: 8 }, (_, i) =>
      writeIdx(at('raced'), { shape: [1000], data: new Uint8Array(1000).fill(i) }),
    );
    await Promise.all(writes);
    expect(new Set((await readIdx(at('raced'))).data).size).toBe(1);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
