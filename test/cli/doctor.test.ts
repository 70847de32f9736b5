import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeCache } from '../../src/data/cache.js';
import { fashionMnistCache } from '../../src/data/sets/fashion-mnist.js';
import { locateFashionMnist } from '../../src/data/sets/fashion-mnist-package.js';
import { describeNative } from '../kernels/support.js';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

interface Doctor {
  devices: { name: string; available: boolean; detail: string }[];
  attempts: { path: string; found: boolean; failure?: string; remedy?: string }[];
  backends: { name: string; available: boolean; remedy?: string }[];
  cuda: {
    driver?: string;
    visibleDevices?: string;
    nvcc?: string;
    attempts: { path: string; from: string; found: boolean }[];
    remedy?: string;
  };
  mpi: { library?: string; attempts: { path: string; found: boolean; failure?: string }[]; remedy?: string };
  data: { cacheDir: string; writable: boolean; fashionMnist: string };
  tools: Record<string, string | undefined>;
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
  expect(d.devices.map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'cpu', 'js']);
  expect(d.devices.at(-1)).toMatchObject({ available: true });
  expect(d.backends.map(({ name }) => name)).toEqual(['tensorflow', 'webgpu', 'native', 'wasm', 'cpu']);
  // Every backend that is not there comes with what to do about it.
  for (const { available, remedy } of d.backends) expect(available || remedy).toBeTruthy();
  expect(d.attempts.length).toBeGreaterThanOrEqual(3);
  expect(d.data).toMatchObject({ cacheDir: cache, writable: true });
  expect(d.node.version).toBe(process.versions.node);
  expect(d.mpi.library ?? d.mpi.remedy).toMatch(/MPI|eat-dml build --mpi/);
});

test('the text says the same', async () => {
  const { code, stdout } = await callCli(['doctor']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}yes {2}js {3} /m);
  expect(stdout).toMatch(/^ {2}yes {2}wasm /m);
  expect(stdout).toMatch(
    /^MPI \(several processes\)\n {2}(yes {2}.*MPI.*eat_dml_mpi\.node|no {3}not built -> .*build --mpi.*)$/m,
  );
  expect(stdout).toContain('No problems.');
});

const broken = join(temporaryFolder(), 'broken.node');
let said: ReturnType<typeof doctor> | undefined;

/** What it says of an addon that does not load, asked once. */
function ofBroken(): ReturnType<typeof doctor> {
  if (!said) writeFileSync(broken, 'not an addon');
  said ??= doctor({ EAT_DML_NATIVE_PATH: broken });
  return said;
}

test('an addon that does not load is shown with why and what to do: 3', async () => {
  const d = await ofBroken();
  expect(d.code).toBe(3);
  expect(d.attempts[0]).toMatchObject({ path: broken, found: true, failure: expect.stringMatching(/./) });
  expect(d.attempts[0].remedy).toContain('eat-dml build');
  expect(d.problems[0]).toContain(broken);
});

test('an MPI addon that does not load is a problem, too', async () => {
  const path = join(temporaryFolder(), 'broken-mpi.node');
  writeFileSync(path, 'not an addon');
  const d = await doctor({ EAT_DML_MPI_PATH: path });
  expect(d.code).toBe(3);
  expect(d.problems.join()).toContain(path);
  expect(d.mpi.attempts[0]).toMatchObject({ path, found: true, failure: expect.stringMatching(/./) });
});

test('advises to install what is missing, and nothing else', async () => {
  const d = await ofBroken();
  const advice = [...d.attempts.map(({ remedy }) => remedy), d.cuda.remedy, ...d.backends.map(({ remedy }) => remedy)];
  const text = [...advice, ...d.devices.map(({ detail }) => detail)].join('\n');
  const words = { compiler: /install .*compiler/i, cmake: /install .*cmake/i, nvcc: /install .*(nvcc|CUDA toolkit)/i };
  for (const [tool, word] of Object.entries(words)) {
    const found = { ...d.tools, nvcc: d.cuda.nvcc }[tool];
    if (found) expect(text).not.toMatch(word);
  }
  if (d.cuda.driver) expect(text).not.toMatch(/install .*driver/i);
  const without = await doctor({ EAT_DML_NATIVE_PATH: broken, PATH: '/nowhere', CXX: undefined, CUDACXX: undefined });
  expect(without.attempts[0].remedy).toMatch(/install a C\+\+ compiler \(.*\) and cmake.*, then npx eat-dml build/);
});

test('a cache that was changed is told from one that is sound', async () => {
  const cache = temporaryFolder();
  const arrays = {
    images: { shape: [2, 28, 28], data: new Uint8Array(1568) },
    labels: { shape: [2], data: Uint8Array.of(0, 1) },
  };
  const told = async () => {
    const { stdout } = await callCli(['doctor', '--json'], { EAT_DML_CACHE: cache });
    return (JSON.parse(stdout) as Doctor).data.fashionMnist;
  };
  const source = await locateFashionMnist([import.meta.url]);
  expect(await told()).toMatch(/^\d+\.\d+\.\d+, not parsed yet/);
  const kept = fashionMnistCache(cache, source);
  await writeCache(kept, arrays);
  expect(await told()).toMatch(/, cached$/);
  writeFileSync(join(kept.folder, kept.labels), 'changed');
  expect(await told()).toContain(join(kept.folder, kept.labels));
});

let absent: ReturnType<typeof doctor> | undefined;

/** What it says where paths that were given do not exist and no GPU may be seen, asked once. */
function ofAbsent(): ReturnType<typeof doctor> {
  const paths = { EAT_DML_NATIVE_PATH: '/no/such/addon', EAT_DML_CUDA_PATH: '/no/such/addon.node' };
  absent ??= doctor({ ...paths, CUDA_VISIBLE_DEVICES: '' });
  return absent;
}

test('a path that does not exist is told from one that does not load', async () => {
  const d = await ofAbsent();
  expect(d.attempts[0]).toMatchObject({ found: false, failure: 'not there' });
  expect(d.code).toBe(0);
});

test('says what stands between a kernel and a GPU, and what to do', async () => {
  const d = await ofAbsent();
  expect(d.cuda.attempts[0]).toMatchObject({ path: '/no/such/addon.node', from: 'EAT_DML_CUDA_PATH', found: false });
  expect(d.cuda.visibleDevices).toBe('');
  expect(d.devices[0]).toMatchObject({ name: 'cuda', available: false });
  expect(d.cuda.remedy).toMatch(/build --cuda|CUDA_VISIBLE_DEVICES hides every GPU/);
  const { stdout } = await callCli(['doctor'], { CUDA_VISIBLE_DEVICES: '' });
  expect(stdout).toMatch(/^CUDA, step by step\n {2}driver {16}.*\n {2}CUDA_VISIBLE_DEVICES {2}""$/m);
});

describeNative('with the addon', () => {
  test('an instruction set that is not there is a problem: 3', async () => {
    const d = await doctor({ EAT_DML_ISA: 'z80' });
    expect(d.code).toBe(3);
    expect(d.problems[0]).toContain('z80');
  });
});
