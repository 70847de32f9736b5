import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkTargets, deliver, writeOrPrint } from '../../src/cli/deliver.js';
import { temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const result = { command: 'test', value: 1 };
const stdout = vi.spyOn(process.stdout, 'write');
let printed: string;

beforeEach(() => {
  printed = '';
  stdout.mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => stdout.mockReset());
afterAll(() => {
  stdout.mockRestore();
  rmSync(folder, { recursive: true });
});

test('writes the files that have a path, and prints the text', async () => {
  const targets = [
    { path: at('a'), content: () => 'A' },
    { path: undefined, content: () => 'B' },
  ];
  await deliver(false, result, 'text', targets);
  expect([readFileSync(at('a'), 'utf8'), printed]).toEqual(['A', 'text\n']);
});

test('where a file fails, the others are written, the result is printed as JSON, and the failure is thrown', async () => {
  const targets = [at('a/b'), at('c')].map((path) => ({ path, content: () => 'C' }));
  await expect(deliver(false, result, 'text', targets)).rejects.toMatchObject({
    code: 'ERR_PATH',
    message: expect.stringContaining(at('a/b')),
    hint: 'The result is on stdout, as JSON.',
  });
  expect(JSON.parse(printed)).toEqual(result);
  expect(readFileSync(at('c'), 'utf8')).toBe('C');
});

test('a result that has no room is printed', async () => {
  await writeOrPrint(at('result.json'), result);
  expect(printed).toBe('');
  await expect(writeOrPrint(at('a/result.json'), result)).rejects.toMatchObject({ code: 'ERR_PATH' });
  expect(JSON.parse(printed)).toEqual(result);
});

test('targets are tried out before there is a result, and are not one and the same', async () => {
  await checkTargets(undefined, at('d'));
  expect(existsSync(at('d'))).toBe(false);
  await expect(checkTargets(at('d'), at('a/b'))).rejects.toMatchObject({ code: 'ERR_PATH' });
  await expect(checkTargets(at('d'), at('d'))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});
