import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as kernelsRoom from '../../src/kernels/index.js';
import * as networkRoom from '../../src/kernels/network/index.js';
import { hasWebgpuKernel } from '../../src/kernels/webgpu/kernels.js';
import { allCases } from '../kernels/cases/index.js';

/** The list of kernels; a kernel's name, in each place's spelling, names its files everywhere. */
const [mission, network] = readFileSync('native/contracts/kernels.def', 'utf8')
  .split('#ifndef EAT_DML_MISSION_ALONE')
  .map((part) => [...part.matchAll(/^EAT_DML_KERNEL\((\w+), (\w+), \w+\)$/gm)].map(([, name, js]) => ({ name, js })));
const kernels = [...mission, ...network];

const PURPOSES = ['distance', 'clustering', 'attack', 'network'];
/** Kernels that live in another's files: the gradients beside their forward, the start of k-means beside k-means. */
const FAMILIES = ['convReluStack', 'conv2d', 'pool2d', 'kmeans', 'depthwiseConv2d'];

function homeOf(kernel: string): string {
  return FAMILIES.find((family) => kernel.startsWith(family)) ?? (kernel.startsWith('batch') ? 'batchNorm' : kernel);
}

const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
const purposeOf = (home: string) =>
  PURPOSES.find((purpose) => existsSync(`native/contracts/${purpose}/${snake(home)}.h`));

test('the list has the kernels of the mission and of networks', () => {
  expect(mission.map(({ js }) => js)).toContain('pairwiseDistance');
  expect(network.map(({ js }) => js)).toContain('conv2d');
  expect(kernels.every(({ name, js }) => snake(js) === name)).toBe(true);
});

test.each(kernels)('$js has all its parts', ({ js }) => {
  const home = homeOf(js);
  const purpose = purposeOf(home);
  const [s, k] = [snake(home), kebab(home)];
  const isNetwork = network.some((kernel) => kernel.js === js);
  expect(purpose === 'network').toBe(isNetwork);
  const typescript = isNetwork
    ? [`src/kernels/network/${k}.ts`, `test/kernels/network/oracles/${k}.ts`]
    : [`src/kernels/${k}.ts`, `src/kernels/reference/${k}.ts`];
  const places = [`native/cpu/${purpose}/${s}.inl`, `native/addon/${purpose}/${s}.cc`, ...typescript];
  expect(places.filter((place) => !existsSync(place))).toEqual([]);
  expect(readFileSync('native/sources.txt', 'utf8').split('\n')).toContain(`addon/${purpose}/${s}.cc`);
});

test.each(kernels)('$js has a parity row and a bench row', ({ js }) => {
  const table = js === 'kmeansPlusPlus' ? 'kmeans' : js;
  expect(allCases.some((row) => row.kernel === table)).toBe(true);
  expect(readFileSync('bench/kernels.ts', 'utf8')).toMatch(new RegExp(`\\b${table}\\b`));
});

test.each(mission)('$js is on CUDA too, and its source is in the list', ({ js, name }) => {
  const source = `cuda/${purposeOf(homeOf(js))}/${name}.cu`;
  expect(readFileSync('native/cuda/sources.txt', 'utf8').split('\n')).toContain(source);
  expect(existsSync(`native/${source}`)).toBe(true);
});

test.each(mission)('$js is on webgpu too, in a file of its own', ({ js }) => {
  const path = `src/kernels/webgpu/${kebab(js)}.ts`;
  expect(existsSync(path) && readFileSync(path, 'utf8')).toMatch(new RegExp(`export const ${js}: WebgpuKernel<`));
  expect(hasWebgpuKernel(js)).toBe(true);
});

test('the package offers the kernels of the mission, and none of networks', () => {
  const offered = Object.keys(kernelsRoom);
  const forms = mission.map(({ js }) => js).filter((js) => js !== 'kmeansPlusPlus');
  expect(offered.sort()).toEqual([...forms.flatMap((js) => [js, `${js}Sync`]), 'devices', 'uploadMatrix'].sort());
});

test('network kernels have one form, at once', () => {
  const functions = Object.values(networkRoom).filter((value) => typeof value === 'function');
  expect(functions.map(({ name }) => name).sort()).toEqual([...network.map(({ js }) => js), 'passedLength'].sort());
  const files = readdirSync('src/kernels/network').filter((file) => file.endsWith('.ts'));
  const sources = files.map((file) => join('src/kernels/network', file));
  expect(sources.filter((file) => /\basync\b|\bPromise\b/.test(readFileSync(file, 'utf8')))).toEqual([]);
});

test('auto weighs every kernel on CUDA', () => {
  const weighed = readFileSync('src/kernels/device-choice.ts', 'utf8').match(/OPERATIONS: .*?\n};/s)![0];
  const named = [...weighed.matchAll(/^ {2}(\w+): \(/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(mission.map(({ js }) => js).sort());
});

test('every .cu is in the list of sources', () => {
  const listed = readFileSync('native/cuda/sources.txt', 'utf8').trim().split('\n');
  const files = readdirSync('native/cuda', { recursive: true }).map(String);
  const sources = files.filter((name) => name.endsWith('.cu')).map((name) => `cuda/${name}`);
  expect(sources.sort()).toEqual(listed.filter((name) => name.endsWith('.cu')));
  expect([...listed].sort()).toEqual(listed);
});

test('no folder of src or native holds more than 25 files, no file more than 260 lines', () => {
  const files = ['src', 'native'].flatMap((root) =>
    readdirSync(root, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !/^native\/build/.test(entry.parentPath),
    ),
  );
  const folders = [...new Set(files.map(({ parentPath }) => parentPath))];
  const inside = (folder: string) => files.filter(({ parentPath }) => parentPath === folder).length;
  expect(folders.filter((folder) => inside(folder) > 25)).toEqual([]);
  const long = files.filter(
    ({ name, parentPath }) =>
      /\.(ts|h|inl|cc|cu)$/.test(name) && readFileSync(join(parentPath, name), 'utf8').split('\n').length > 261,
  );
  expect(long.map(({ parentPath, name }) => join(parentPath, name))).toEqual([]);
});
