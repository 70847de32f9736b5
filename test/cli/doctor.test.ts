import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeNative } from '../kernels/support.js';
import { runCli, temporaryFolder } from './run-cli.js';

interface Doctor {
  devices: { name: string; available: boolean; detail: string }[];
  attempts: { path: string; found: boolean; failure?: string; remedy?: string }[];
  backends: { name: string; available: boolean; remedy?: string }[];
  cuda: { visibleDevices?: string; attempts: { path: string; from: string; found: boolean }[]; remedy?: string };
  data: { cacheDir: string; writable: boolean };
  node: { version: string };
  problems: string[];
}

async function doctor(env: Record<string, string | undefined>) {
  const { code, stdout } = await runCli(['doctor', '--json'], { env });
  return { code, ...(JSON.parse(stdout) as Doctor) };
}

test('tells devices, load attempts, backends, data and Node', async () => {
  const cache = temporaryFolder();
  const d = await doctor({ EAT_DML_CACHE: cache, EAT_DML_NATIVE_PATH: undefined });
  expect(d.code).toBe(0);
  expect(d.devices.map(({ name }) => name)).toEqual(['cuda', 'cpu', 'js']);
  expect(d.devices.at(-1)).toMatchObject({ available: true });
  expect(d.backends.map(({ name }) => name)).toEqual(['tensorflow', 'native', 'wasm', 'cpu']);
  // Every backend that is not there comes with what to do about it.
  for (const { available, remedy } of d.backends) expect(available || remedy).toBeTruthy();
  expect(d.attempts.length).toBeGreaterThanOrEqual(3);
  expect(d.data).toMatchObject({ cacheDir: cache, writable: true });
  expect(d.node.version).toBe(process.versions.node);
});

test('the text says the same', async () => {
  const { code, stdout } = await runCli(['doctor']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}yes {2}js {3} /m);
  expect(stdout).toMatch(/^ {2}yes {2}wasm /m);
  expect(stdout).toContain('No problems.');
});

test('an addon that does not load is shown with why and what to do: 3', async () => {
  const path = join(temporaryFolder(), 'broken.node');
  writeFileSync(path, 'not an addon');
  const d = await doctor({ EAT_DML_NATIVE_PATH: path });
  expect(d.code).toBe(3);
  expect(d.attempts[0]).toMatchObject({ path, found: true, failure: expect.stringMatching(/./) });
  expect(d.attempts[0].remedy).toContain('eat-dml build');
  expect(d.problems[0]).toContain(path);
});

test('a path that does not exist is told from one that does not load', async () => {
  const d = await doctor({ EAT_DML_NATIVE_PATH: '/no/such/addon' });
  expect(d.attempts[0]).toMatchObject({ found: false, failure: 'not there' });
  expect(d.code).toBe(0);
});

test('says what stands between a kernel and a GPU, and what to do', async () => {
  const d = await doctor({ EAT_DML_CUDA_PATH: '/no/such/addon.node', CUDA_VISIBLE_DEVICES: '' });
  expect(d.cuda.attempts[0]).toMatchObject({ path: '/no/such/addon.node', from: 'EAT_DML_CUDA_PATH', found: false });
  expect(d.cuda.visibleDevices).toBe('');
  expect(d.devices[0]).toMatchObject({ name: 'cuda', available: false });
  expect(d.cuda.remedy).toMatch(/build --cuda|CUDA_VISIBLE_DEVICES hides every GPU/);
  const { stdout } = await runCli(['doctor'], { env: { CUDA_VISIBLE_DEVICES: '' } });
  expect(stdout).toMatch(/^CUDA, step by step\n {2}driver {16}.*\n {2}CUDA_VISIBLE_DEVICES {2}""$/m);
});

describeNative('with the addon', () => {
  test('an instruction set that is not there is a problem: 3', async () => {
    const d = await doctor({ EAT_DML_ISA: 'z80' });
    expect(d.code).toBe(3);
    expect(d.problems[0]).toContain('z80');
  });
});
