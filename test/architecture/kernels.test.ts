import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allCases } from '../kernels/cases/index.js';

/** Every kernel by its name; the same name, in each place's spelling, names its files everywhere. */
const bindings = [...readFileSync('native/addon/addon.cc', 'utf8').matchAll(/\{"(\w+)", guarded<(\w+)>, has</g)];

/** Kernels that live in another's files: the gradients beside their forward, the start of k-means beside k-means. */
function homeOf(kernel: string): string {
  const families = ['convReluStack', 'conv2d', 'pool2d', 'kmeans', 'depthwiseConv2d'];
  return families.find((family) => kernel.startsWith(family)) ?? (kernel.startsWith('batch') ? 'batchNorm' : kernel);
}

const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
const kernels = bindings.map(([, name]) => name);

test('the addon lists its kernels', () => {
  expect(kernels).toContain('pairwiseDistance');
  expect(kernels.length).toBeGreaterThanOrEqual(12);
});

test.each(kernels)('%s has all its parts', (kernel) => {
  const home = homeOf(kernel);
  const [s, k] = [snake(home), kebab(home)];
  const places = [
    `native/contracts/${s}.h`,
    `native/cpu/${s}.inl`,
    `native/addon/${s}.cc`,
    `src/kernels/${k}.ts`,
    `src/kernels/reference/${k}.ts`,
  ];
  expect(places.filter((place) => !existsSync(place))).toEqual([]);
  expect(readFileSync('native/sources.txt', 'utf8').split('\n')).toContain(`addon/${s}.cc`);
  expect(readFileSync('native/cpu/kernel_table.h', 'utf8')).toContain(`(*${snake(kernel)})`);
});

test.each(kernels)('%s has a parity row and a bench row', (kernel) => {
  const table = kernel === 'kmeansPlusPlus' ? 'kmeans' : kernel;
  expect(allCases.some((row) => row.kernel === table)).toBe(true);
  expect(readFileSync('bench/kernels.ts', 'utf8')).toMatch(new RegExp(`\\b${table}\\b`));
});

/** Those that native/cuda has: the rest runs on the CPU. */
const onCuda = [...readFileSync('native/cuda/table.cc', 'utf8').matchAll(/table\.(\w+) = cuda::\1;/g)].map(
  ([, name]) => name,
);

test.each(onCuda)('%s on CUDA has its source in the list', (kernel) => {
  expect(kernels.map(snake)).toContain(kernel);
  expect(readFileSync('native/cuda/sources.txt', 'utf8').split('\n')).toContain(`cuda/${kernel}.cu`);
  expect(existsSync(`native/cuda/${kernel}.cu`)).toBe(true);
});

test('auto weighs every kernel on CUDA', () => {
  const weighed = readFileSync('src/kernels/device-choice.ts', 'utf8').match(/OPERATIONS: .*?\n};/s)![0];
  const named = [...weighed.matchAll(/^ {2}(\w+): \(/gm)].map(([, name]) => snake(name));
  expect(named.sort()).toEqual([...onCuda].sort());
});

test('every .cu is in the list of sources', () => {
  const listed = readFileSync('native/cuda/sources.txt', 'utf8').trim().split('\n');
  const files = readdirSync('native/cuda').filter((name) => name.endsWith('.cu'));
  expect(files.map((name) => `cuda/${name}`).sort()).toEqual(listed.filter((name) => name.endsWith('.cu')));
  expect([...listed].sort()).toEqual(listed);
});
