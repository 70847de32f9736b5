import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LONG } from '../long.js';

const { onPath, root } = (await import(new URL('../../scripts/native-addon.mjs', import.meta.url).href)) as {
  onPath: (...names: string[]) => string | undefined;
  root: string;
};
const ORDERS = 20;
const compiler = process.env.CXX ?? onPath('g++', 'clang++');
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-simt-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sources = (path: string) =>
  readdirSync(join(root, path))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(root, path, name));

// The emulator's fibers and stacks are POSIX. Of the emulator alone, no kernel of ours: in the long form.
describe.skipIf(compiler === undefined || process.platform === 'win32' || !LONG)('the SIMT emulator', () => {
  it(`catches every planted bug and runs every correct kernel, in ${ORDERS} orders of threads and blocks`, () => {
    const program = join(folder, 'simt-tests');
    // -rdynamic lets a fault name its kernel.
    const flags = [
      '-std=c++17',
      '-O1',
      '-ffp-contract=off',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-Wno-unknown-pragmas',
      '-pthread',
      '-rdynamic',
    ];
    const all = [...sources('native/simt'), ...sources('test/native/simt')];
    execFileSync(compiler!, [...flags, ...all, '-o', program, '-ldl'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const { stdout, stderr } = spawnSync(program, [String(ORDERS)], { encoding: 'utf8' });
    expect(stdout + stderr).toMatch(/^simt: (\d+) of \1 cases pass \((?:3\d|[4-9]\d) planted bugs, /);
  });
});
