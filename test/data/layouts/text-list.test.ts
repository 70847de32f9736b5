import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sidesInFile } from '../../../src/data/layouts/split-file.js';
import { columnsOf, integerIn, isInside, linesOf, withoutHeader } from '../../../src/data/layouts/text-list.js';

let path: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eat-dml-list-'));
  path = join(folder, 'list.txt');
});
afterAll(() => rm(folder, { recursive: true }));

const raise = (fault: Error) => {
  throw fault;
};

test('lines that are not blank, with their numbers', async () => {
  await writeFile(path, '\ufeffa b\r\n\r\n  c\t\n\n\nd');
  expect(await linesOf(path)).toEqual([
    { number: 1, text: 'a b' },
    { number: 3, text: 'c' },
    { number: 6, text: 'd' },
  ]);
  await writeFile(path, '');
  expect(await linesOf(path)).toEqual([]);
});

test('a list of blank lines takes no memory, one of too many or too long ones is refused', async () => {
  await writeFile(path, Buffer.alloc(2 ** 21, '\n'));
  expect(await linesOf(path)).toEqual([]);
  await writeFile(path, 'a\n'.repeat(2 ** 20 + 1));
  await expect(linesOf(path)).rejects.toThrow(/at most 1048576 lines but received more in .*list.txt/);
  await truncate(path, 2 ** 26 + 1);
  await expect(linesOf(path)).rejects.toThrow(/at most 67108864 bytes but received 67108865 at .*list.txt/);
});

test('a line of a million blanks is gone over once', async () => {
  const blanks = `a${' '.repeat(1e6)}`;
  const line = { number: 1, text: `${blanks}b` };
  expect(columnsOf(path, line, 'x y')).toEqual(['a', 'b']);
  expect(() => columnsOf(path, line, 'x y', true)).toThrow(/2 columns/);
  expect(() => columnsOf(path, { number: 1, text: 'a '.repeat(1e6) }, 'x y')).toThrow(/but received "more: a a /);
  expect(() => withoutHeader(path, [line], 'x y', raise)).toThrow(/the header "x y"/);
  await writeFile(path, `${blanks}tes\n`);
  await expect(sidesInFile(path, [{ name: 'a', files: [] }], raise)).rejects.toThrow(/one of train/);
  await writeFile(path, `${blanks}test\n`);
  expect((await sidesInFile(path, [{ name: 'a', files: [] }], raise))('a', 'a/1.jpg')).toBe('test');
});

test('a side is a word of its own', async () => {
  const folders = [{ name: 'a', files: [] }];
  for (const text of ['atest', 'test', 'a-test', 'a testing']) {
    await writeFile(path, text);
    await expect(sidesInFile(path, folders, raise), text).rejects.toThrow(/line 1\.$/);
  }
  for (const text of ['a test', 'a,test', 'a , test', 'a\ttest']) {
    await writeFile(path, text);
    expect((await sidesInFile(path, folders, raise))('a', ''), text).toBe('test');
  }
});

test('integers are decimal, whatever zeros they begin with', () => {
  const read = (text: string) => integerIn(path, 1, 'n', text);
  expect([read('065'), read('2147483647')]).toEqual([65, 2147483647]);
  for (const text of ['0', '-1', '1.0', '1e3', '0x1', ' 1', '', '2147483648', '00000000001']) {
    expect(() => read(text), text).toThrow(/an integer >= 1 for n/);
  }
});

test('a path is inside where it cannot lead out', () => {
  expect(['a', 'a/b.jpg', 'a b/..c/...', "a'/(1).jpg", `${'a/'.repeat(2000)}b`].every(isInside)).toBe(true);
  const outside = ['', '.', '..', '../a', 'a/..', 'a/../../b', '/a', 'a//b', 'a/', 'a\\b', 'C:a', 'a\0', 'a\nb'];
  expect([...outside, 'a'.repeat(5000)].filter(isInside)).toEqual([]);
});
