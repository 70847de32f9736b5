import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exitCodeOf } from '../src/cli/exit-codes.js';
import { fileError } from '../src/files.js';
import { checkWritable, writeAtomically } from '../src/write-atomically.js';
import { canMount, smallDisk } from './small-disk.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-files-'));
const at = (...names: string[]) => join(folder, ...names);

afterAll(() => rmSync(folder, { recursive: true }));

writeFileSync(at('file'), 'x');
mkdirSync(at('folder'));

const refused: [what: string, path: string, code: string, exit: number, words: RegExp][] = [
  ['a file in place of a folder', at('file', 'below', 'report.json'), 'ERR_PATH', 4, /ENOTDIR|EEXIST/],
  ['a folder in place of a file', at('folder'), 'ERR_PATH', 4, /EISDIR/],
  ['a name that is too long', at('n'.repeat(300)), 'ERR_PATH', 4, /ENAMETOOLONG/],
];

describe.each([
  ['writeAtomically', (path: string) => writeAtomically(path, Buffer.from('new'))],
  ['checkWritable', checkWritable],
])('%s', (_, write) => {
  test.each(refused)('refuses %s in a sentence with its path', async (_, path, code, exit, words) => {
    const error = await write(path).catch((error) => error);
    expect(error).toMatchObject({ code, message: expect.stringContaining(path), hint: expect.any(String) });
    expect(error.message).toMatch(words);
    expect(exitCodeOf(error)).toBe(exit);
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder']);
  });

  test.skipIf(!canMount)('refuses a full and a read-only disk as faults of the machine', async () => {
    const disk = smallDisk(64);
    disk.fill();
    const full = await write(join(disk.path, 'out', 'report.json')).catch((error) => error);
    expect(full).toMatchObject({ code: 'ERR_SYSTEM', message: expect.stringMatching(/report\.json.*ENOSPC/) });
    expect(exitCodeOf(full)).toBe(3);
    disk.empty();
    disk.readOnly();
    for (const path of [join(disk.path, 'report.json'), join(disk.path, 'not', 'made', 'report.json')]) {
      const locked = await write(path).catch((error) => error);
      expect(locked).toMatchObject({ code: 'ERR_SYSTEM', message: expect.stringMatching(/report\.json.*EROFS/) });
    }
    expect(readdirSync(disk.path).filter((name) => name.includes('.tmp'))).toEqual([]);
  });
});

test('checkWritable leaves nothing, and changes nothing that is there', async () => {
  writeFileSync(at('kept'), 'old');
  await checkWritable(at('kept'));
  await checkWritable(at('made', 'new'));
  expect(readFileSync(at('kept'), 'utf8')).toBe('old');
  expect(readdirSync(at('made'))).toEqual([]);
});

test('writeAtomically keeps a link, and writes to a device as it is', async () => {
  writeFileSync(at('target'), 'old');
  symlinkSync(at('target'), at('link'));
  await writeAtomically(at('link'), Buffer.from('new'));
  expect(readFileSync(at('target'), 'utf8')).toBe('new');
  const full = await writeAtomically('/dev/full', Buffer.from('new')).catch((error) => error);
  expect(full).toMatchObject({ code: 'ERR_SYSTEM', message: expect.stringMatching(/\/dev\/full.*no space/) });
});

test('an error of the system that nobody put in words is one of the environment; others stay faults of this package', () => {
  const system = (code: string, syscall: string) => Object.assign(new Error(code), { code, errno: -1, syscall });
  expect(exitCodeOf(system('EMFILE', 'open'))).toBe(3);
  expect(exitCodeOf(system('ENOTDIR', 'mkdir'))).toBe(4);
  expect(exitCodeOf(system('ENOENT', 'spawn npm'))).toBe(3);
  expect(exitCodeOf(system('ESOMETHING', 'read'))).toBe(3);
  expect(exitCodeOf(new TypeError('x'))).toBe(1);
  expect(fileError('write', 'x', 'no error')).toBe('no error');
});
