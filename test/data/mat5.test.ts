import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeMat5, type MatArray, readMat5 } from '../../src/data/mat5.js';
import { array, CLASS, element, headed, matrix, NAMES, STORED, texts } from './mat5-writer.js';

const GOLDENS = 'test/goldens/mat';
const read = async (name: string) => JSON.parse(await readFile(join(GOLDENS, name), 'utf8'));

const plain = (value: MatArray) =>
  value.kind === 'numbers' ? value.data[0] : value.kind === 'text' ? value.lines[0] : value;

/** The rows of a struct array, each as the values of its fields. */
function rowsOf(value: MatArray | undefined): unknown[][] {
  if (value?.kind !== 'struct') throw new Error('no struct');
  const columns = [...value.fields.values()];
  return columns[0].map((_, i) => columns.map((column) => plain(column[i])));
}

describe('the annotation files of CARS196', async () => {
  const expected = await read('expected.json');
  const files = ['cars_annos', 'cars_train_annos', 'cars_test_annos_withlabels'];
  test.each(files.flatMap((name) => [`${name}.mat`, `${name}.plain.mat`]))('%s', async (file) => {
    const { annotations } = Object.fromEntries(await readMat5(join(GOLDENS, file)));
    const { fields, rows } = expected[file.split('.')[0]];
    expect(annotations.shape).toEqual([1, rows.length]);
    expect([...(annotations as MatArray & { kind: 'struct' }).fields.keys()]).toEqual(fields);
    expect(rowsOf(annotations)).toEqual(rows);
  });

  test.each(['cars_annos.mat', 'cars_meta.mat', 'cars_meta.plain.mat'])('the names in %s', async (file) => {
    const names = (await readMat5(join(GOLDENS, file))).get('class_names');
    expect(names).toMatchObject({ kind: 'cell', shape: [1, 4] });
    expect((names as MatArray & { kind: 'cell' }).values.map(plain)).toEqual(expected.class_names);
  });

  test('only the variables that are asked for', async () => {
    const variables = await readMat5(join(GOLDENS, 'cars_annos.mat'), ['class_names']);
    expect([...variables.keys()]).toEqual(['class_names']);
  });
});

describe('what the format has', () => {
  const decode = async (little: boolean, ...elements: Uint8Array[]) =>
    decodeMat5(Buffer.concat([headed(little), ...elements]), 'some.mat');

  test.each(NAMES)('numbers stored as %s, in both byte orders', async (name) => {
    const values = name.startsWith('u') ? [0, 1, 200] : [-1, 0, 100];
    for (const little of [true, false]) {
      const variables = await decode(
        little,
        array('x', CLASS.double, [1, 3], element(STORED[name], values, little), little),
      );
      expect(variables.get('x')).toEqual({ kind: 'numbers', shape: [1, 3], data: Float64Array.from(values) });
    }
  });

  test('numbers of 64 bits and fractions', async () => {
    for (const little of [true, false]) {
      const variables = await decode(
        little,
        array('x', CLASS.double, [2, 1], element(STORED.double, [0.1, -(2 ** 60)], little), little),
      );
      expect(variables.get('x')).toMatchObject({ data: Float64Array.of(0.1, -(2 ** 60)) });
    }
  });

  test('numbers column by column, text row by row', async () => {
    const variables = await decode(
      true,
      array('x', CLASS.double, [2, 2], element(STORED.uint8, [1, 2, 3, 4], true), true),
      array('t', CLASS.char, [2, 3], element(STORED.uint8, Buffer.from('adbecf'), true), true),
    );
    expect(variables.get('x')).toMatchObject({ shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) });
    expect(variables.get('t')).toMatchObject({ shape: [2, 3], lines: ['abc', 'def'] });
  });

  test('text of each kind', async () => {
    expect(await decode(true, texts('t', 'né', STORED.utf8))).toEqual(
      new Map([['t', { kind: 'text', shape: [1, 2], lines: ['né'] }]]),
    );
    for (const little of [true, false]) {
      const codes = [...'né'].map((letter) => letter.charCodeAt(0));
      const variables = await decode(
        little,
        array('t', CLASS.char, [1, 2], element(STORED.uint16, codes, little), little),
      );
      expect(variables.get('t')).toMatchObject({ lines: ['né'] });
    }
  });

  test('empty arrays, and a cell in a cell', async () => {
    const inner = matrix('', CLASS.cell, [1, 2], [element(STORED.matrix, [], true), texts('', 'a')]);
    const variables = await decode(true, matrix('c', CLASS.cell, [1, 1], [inner]));
    const [cell] = (variables.get('c') as MatArray & { kind: 'cell' }).values;
    expect(cell).toMatchObject({ kind: 'cell', values: [{ kind: 'numbers', shape: [0, 0] }, { lines: ['a'] }] });
  });
});

describe('files that are none, or damaged', () => {
  const refused = (bytes: Uint8Array, names?: string[]) =>
    decodeMat5(bytes, 'some.mat', names).then(
      () => 'read',
      (error) => `${error.code}: ${error.message}`,
    );
  const little = (...elements: Uint8Array[]) => refused(Buffer.concat([headed(true), ...elements]));
  const flags = (kind: number) => element(STORED.uint32, [kind, 0], true);
  const shape = (...sizes: number[]) => element(STORED.int32, sizes, true);
  const name = element(STORED.int8, [97], true);

  test('no such file, a folder, another format', async () => {
    await expect(readMat5(join(GOLDENS, 'none.mat'))).rejects.toThrow(
      /a readable file but received none at .*none.mat/,
    );
    await expect(readMat5(GOLDENS)).rejects.toThrow(/a readable file but received a folder at/);
    expect(await refused(Buffer.from('MATLAB'))).toMatch(/^ERR_DATA: .* level-5 file but received 6 bytes in some.mat/);
    const hdf5 = Buffer.from(headed(true));
    hdf5[125] = 2;
    expect(await refused(hdf5)).toMatch(/level-5 file but received another header in some.mat/);
  });

  test.each<[string, Uint8Array[], RegExp]>([
    ['half a tag', [Buffer.alloc(4)], /at least 8 bytes, but received 4 bytes at byte 128/],
    [
      'an element beyond the end',
      [Buffer.from('0e00000000ffffff', 'hex')],
      /ends where it should but received 4294967040/,
    ],
    ['a small element of 5 bytes', [Buffer.from('0100050061626364', 'hex')], /received 5 bytes, more than there are/],
    ['no array', [element(STORED.uint8, [1, 2, 3, 4, 5], true)], /an array \(type 14\) but received type 2/],
    [
      'an array in which the sizes lack',
      [element(STORED.matrix, flags(6), true)],
      /the sizes of an array, of at least 8/,
    ],
    [
      'negative sizes',
      [element(STORED.matrix, Buffer.concat([flags(6), shape(-1, 3)]), true)],
      /sizes >= 0 but .*-1, 3/,
    ],
    ['one size', [element(STORED.matrix, Buffer.concat([flags(6), shape(3), name]), true)], /2 to 32 sizes/],
    [
      'fewer numbers',
      [array('x', CLASS.double, [1, 4], element(STORED.uint8, [1, 2, 3], true), true)],
      /4 numbers.*received 3/,
    ],
    [
      'complex numbers',
      [matrix('x', CLASS.double | 0x800, [1, 1], [element(STORED.uint8, [1], true)])],
      /real numbers/,
    ],
    ['a sparse array', [matrix('x', 5, [1, 1], [element(STORED.uint8, [1], true)])], /but received class 5/],
    ['odd bytes of doubles', [array('x', 6, [1, 1], element(9, Buffer.alloc(7), true), true)], /numbers of 8 bytes/],
    ['cells that cannot be there', [matrix('x', CLASS.cell, [2 ** 30, 2 ** 30], [])], /arrays but received 0 bytes/],
    ['fewer cells', [matrix('x', CLASS.cell, [1, 2], [texts('', 'abcdefgh')])], /an array, of at least 8 bytes, but/],
    [
      'less text',
      [array('x', CLASS.char, [1, 3], element(STORED.utf8, Buffer.from('ab'), true), true)],
      /3 characters/,
    ],
    [
      'too many fields',
      [matrix('x', CLASS.struct, [1, 0], [element(5, [1], true), element(1, Buffer.alloc(5000), true)])],
      /at most 4096 fields/,
    ],
    [
      'too many lines',
      [array('x', CLASS.char, [5000, 1], element(1, Buffer.alloc(5000), true), true)],
      /at most 4096 lines/,
    ],
    ['no zlib', [element(STORED.compressed, Buffer.from('hello'), true)], /a compressed array but received "incorrect/],
  ])('%s', async (_, elements, message) => {
    const said = await little(...elements);
    expect(said).toMatch(
      /^ERR_DATA: Expected .* but received .* at byte \d+ of some\.mat(, unpacked from byte \d+)?\.$/,
    );
    expect(said).toMatch(message);
  });

  test('cells in cells without end', async () => {
    let cell = matrix('', CLASS.cell, [1, 1], [texts('', 'a')]);
    for (let i = 0; i < 2000; i++) cell = matrix('', CLASS.cell, [1, 1], [cell]);
    expect(await little(cell)).toMatch(/arrays in arrays 16 deep at most but received more/);
  });

  test('a bomb is refused, in one piece or in many', async () => {
    const zipped = deflateSync(
      array('x', CLASS.double, [1, 2 ** 22], element(STORED.uint8, Buffer.alloc(2 ** 22), true), true),
    );
    const one = element(STORED.compressed, zipped, true);
    expect(one.length).toBeLessThan(20_000);
    const times = (count: number) => refused(Buffer.concat([headed(true), ...new Array(count).fill(one)]), ['y']);
    expect(await times(7)).toBe('read');
    expect(await times(8)).toMatch(/a compressed array but received more than 33554432 bytes/);
    const large = deflateSync(Buffer.alloc(2 ** 26));
    expect(await little(element(STORED.compressed, large, true))).toMatch(/received more than 33554432 bytes/);
  });
});

describe('a file that is too large', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eat-dml-mat-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is not read', async () => {
    const path = join(folder, 'large.mat');
    await writeFile(path, Buffer.alloc(2 ** 25 + 1));
    await expect(readMat5(path)).rejects.toThrow(
      /a file of at most 33554432 bytes but received 33554433 at .*large.mat/,
    );
  });
});
