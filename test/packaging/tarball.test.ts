import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LONG } from '../long.js';
import { linkPackages, root, run, temporaryFolder } from './run.js';

const MINUTES = 60_000;
const folder = temporaryFolder();
const installed = join(folder, 'node_modules/eat-dml');

interface Packed {
  filename: string;
  files: { path: string }[];
}

let packed: Packed;

/** A program in the folder where the tarball is installed; the addon of this checkout must not be found there. */
async function program(source: string, args: string[] = []) {
  const path = join(folder, 'program.mjs');
  writeFileSync(path, source);
  const env = { EAT_DML_NATIVE_PATH: undefined, EAT_DML_ISA: undefined };
  const { code, stdout, stderr } = await run(process.execPath, [...args, path], { cwd: folder, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  const built = await run(process.execPath, ['scripts/build-ts.mjs', '--if-changed']);
  expect(built).toMatchObject({ code: 0, stderr: '' });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  packed = JSON.parse(stdout)[0];
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const tarball = join(folder, packed.filename);
  linkPackages(folder);
  const { code, stderr } = await run('npm', ['install', '--prefix', folder, ...quiet, tarball], { cwd: folder });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
}, 5 * MINUTES);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('has what it needs and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'dist/index.js',
        'dist/index.d.ts',
        'dist/cli/main.js',
        'dist/kernels/index.js',
        'dist/config.schema.json',
        'native/CMakeLists.txt',
        'native/sources.txt',
        'native/mpi/mpi.cmake',
        'native/mpi/engine.cc',
        'scripts/native-addon.mjs',
        'src/tf.d.cts',
        'LICENSE',
        'README.md',
      ]),
    );
    const folders = new Set(paths.map((path) => (path.includes('/') ? path.split('/')[0] : path)));
    expect([...folders].sort()).toEqual(
      [
        ...['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'bench', 'dist', 'docs', 'examples'],
        ...['native', 'package.json', 'scripts', 'src'],
      ].sort(),
    );
    expect(
      paths.filter((path) =>
        /binding\.gyp$|\.node$|node_modules|native\/build|^src\/(?!tf\.d\.cts$)|^test\//.test(path),
      ),
    ).toEqual([]);
  });

  test('holds every source that the addon is built from', () => {
    const paths = new Set(packed.files.map(({ path }) => path));
    const lists = ['native/sources.txt', 'native/cuda/sources.txt'];
    const sources = lists.flatMap((list) => readFileSync(join(root, list), 'utf8').trim().split(/\s+/));
    expect(sources.filter((source) => !paths.has(`native/${source}`))).toEqual([]);
  });

  test('runs no script when it is installed', () => {
    const { scripts, gypfile } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
    expect(gypfile).toBe(false);
    expect(existsSync(join(installed, 'binding.gyp'))).toBe(false);
  });

  test('passes publint', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: installed, strict: true, pack: false });
    expect(messages).toEqual([]);
  });
});

describe('installed with --ignore-scripts', () => {
  test('the kernels run on js', async () => {
    const result = await program(`
      import { devices, pairwiseDistance } from 'eat-dml/kernels';
      const points = { data: Float32Array.of(0, 0, 3, 4), rows: 2, cols: 2 };
      const { data } = await pairwiseDistance(points, points, { metric: 'euclidean' });
      const available = devices().filter((d) => d.available).map((d) => d.name);
      console.log(JSON.stringify({ data: [...data], available }));
    `);
    expect(result).toEqual({ data: [0, 5, 5, 0], available: ['js'] });
  });

  test('the kernels load no tfjs; the package does', async () => {
    const seen = (entry: string) => `
      import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
      import { createRequire, register } from 'node:module';
      writeFileSync('seen.txt', '');
      const hook = "import { appendFileSync } from 'node:fs';"
        + "export async function resolve(name, context, next) { appendFileSync('seen.txt', name + '\\\\n'); return next(name, context); }";
      register('data:text/javascript,' + encodeURIComponent(hook));
      await import('${entry}');
      const loaded = [...readFileSync('seen.txt', 'utf8').split('\\n'), ...Object.keys(createRequire(import.meta.url).cache)];
      console.log(JSON.stringify({ modules: loaded.length, tfjs: loaded.some((name) => name.includes('@tensorflow')) }));
    `;
    const kernels = await program(seen('eat-dml/kernels'));
    expect(kernels.modules).toBeGreaterThan(10);
    expect(kernels.tfjs).toBe(false);
    expect((await program(seen('eat-dml'))).tfjs).toBe(true);
  });

  test('the package embeds, clusters and scores', async () => {
    const result = await program(`
      import { clusterEmbeddings, clusteringScores, convEmbedder, Ensemble, chooseBackend } from 'eat-dml';
      const { name } = await chooseBackend({ backend: 'cpu' });
      const ensemble = new Ensemble([convEmbedder({ width: 2, dimension: 4 }).build([8, 8, 1], 1)]);
      const images = new Float32Array(6 * 64).map((_, i) => (i < 192 ? (i % 7) / 7 : (i % 2) / 2));
      const embeddings = await ensemble.embed({ images, shape: [8, 8, 1] });
      const { labels } = await clusterEmbeddings(embeddings, { k: 2, seed: 1 });
      const { nmi } = clusteringScores([0, 0, 0, 1, 1, 1], labels);
      console.log(JSON.stringify({ name, rows: embeddings.rows, cols: embeddings.cols, nmi }));
    `);
    expect(result).toEqual({ name: 'cpu', rows: 6, cols: 4, nmi: expect.closeTo(1, 9) });
  });

  test('tfjs comes with its gradients, and is that of the package', async () => {
    const result = await program(`
      import * as tf from 'eat-dml/tf';
      import { chooseBackend, fromFunction } from 'eat-dml';
      await chooseBackend({ backend: 'cpu' });
      const embedder = fromFunction((x) => x.mean([1, 2]), { inputShape: [2, 2, 3], dimension: 3 });
      const gradient = tf.grad((x) => embedder.apply(x).mul([[1, 2, 3]]).sum())(tf.ones([1, 2, 2, 3]));
      const layer = tf.layers.dense({ units: 2, kernelInitializer: 'ones' }).apply(tf.ones([1, 3]));
      console.log(JSON.stringify({ sum: gradient.sum().arraySync(), layer: layer.arraySync() }));
    `);
    expect(result).toEqual({ sum: expect.closeTo(0, 5), layer: [[3, 3]] });
  });

  test('batches are read ahead on a thread, which keeps no process', async () => {
    const result = await program(`
      import sharp from 'sharp';
      import { chooseBackend, imageFiles } from 'eat-dml';
      let started = 0;
      process.on('worker', () => started++);
      await chooseBackend({ backend: 'cpu' });
      const files = ['a.png', 'b.png'];
      const create = { width: 460, height: 450, channels: 3, background: '#ff0000' };
      for (const file of files) await sharp({ create }).png().toFile(file);
      const source = imageFiles({ name: 'red', root: '.', files, labels: [0, 1], transform: { resize: 450 } });
      source.prefetch([0, 1]);
      const images = await source.batch([0, 1]);
      source.prefetch([1, 0]);
      console.log(JSON.stringify({ started, shape: images.shape, mean: images.mean([0, 1, 2]).arraySync() }));
    `);
    expect(result).toEqual({ started: 1, shape: [2, 450, 450, 3], mean: [expect.closeTo(1, 5), 0, 0] });
  });

  test('the example of the kernels runs', async () => {
    const path = join(folder, 'kernels.mjs');
    copyFileSync(join(root, 'examples/kernels.mjs'), path);
    const { code, stdout } = await run(process.execPath, [path], {
      cwd: folder,
      env: { EAT_DML_NATIVE_PATH: undefined },
    });
    expect(stdout).toMatch(/^k-means: \d+ iterations/);
    expect(stdout).toContain('js: plain JavaScript');
    expect(code).toBe(0);
  });

  test('the types are found', async () => {
    const path = join(folder, 'types.ts');
    writeFileSync(
      path,
      `import { eat, type EvaluationReport } from 'eat-dml';
       import { type Matrix, nearestCentroidSync } from 'eat-dml/kernels';
       import * as tf from 'eat-dml/tf';
       export const model: tf.LayersModel = tf.sequential();
       export const loss = (x: tf.Tensor2D): tf.Tensor => tf.grad((y) => y.square().sum())(x);
       export const method = eat({ attack: { epsilon: 0.1 } });
       export const labels = (m: Matrix): Int32Array => nearestCentroidSync(m, m).labels;
       export const nmi = (r: EvaluationReport): number | null => r.worst.scores.nmi;\n`,
    );
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
    const { code, stdout } = await run(process.execPath, [tsc, ...options, ...types, path], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  test('eat-dml runs, and says what build lacks where there is no compiler', async () => {
    const bin = join(folder, 'node_modules/.bin/eat-dml');
    const env = { EAT_DML_NATIVE_PATH: undefined, EAT_DML_ISA: undefined, CXX: undefined };
    const doctor = await run(process.execPath, [bin, 'doctor', '--json'], { cwd: folder, env });
    const [, webgpu, cpu] = JSON.parse(doctor.stdout).devices;
    expect(webgpu).toMatchObject({ name: 'webgpu', available: false });
    expect(webgpu.detail).toContain('npm install webgpu');
    expect(cpu).toMatchObject({ name: 'cpu', available: false });
    const build = await run(process.execPath, [bin, 'build'], { cwd: folder, env: { ...env, PATH: folder } });
    expect(build.stderr).toMatch(/ERR_BUILD: .*a C\+\+ compiler .*cmake/);
    expect(build).toMatchObject({ code: 3, stdout: '' });
  });
});

test.runIf(LONG)('the example of training runs in a checkout', async () => {
  const { code, stdout } = await run(process.execPath, ['examples/eat.mjs', '20', '1']);
  expect(stdout).toMatch(/^Worst case: NMI/);
  expect(code).toBe(0);
});
