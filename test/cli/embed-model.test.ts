import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { loadModel, modelOf } from '../../src/config/make.js';
import { imageFiles, readNpy } from '../../src/data/index.js';
import { Ensemble, mobilenetV2 } from '../../src/models/index.js';
import { train } from '../../src/training/index.js';
import { FEATURES, writeWeights } from '../models/published.js';
import { tinyImages } from '../models/tiny-images.js';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
const photographs = join(folder, 'photographs');
const [weights, headless] = ['weights', 'headless'].map((name) => join(folder, `${name}.safetensors`));
const paths = ['ant/0.png', 'ant/1.png', 'bee/0.png', 'bee/1.png'];

beforeAll(async () => {
  await tf.setBackend('cpu');
  writeWeights(weights, 'mobilenet_v2');
  writeWeights(headless, 'mobilenet_v2', { head: false });
  for (const name of ['ant', 'bee']) mkdirSync(join(photographs, name), { recursive: true });
  for (const [i, path] of paths.entries()) {
    const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) => (at * (i + 3)) % 251);
    await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
      .png()
      .toFile(join(photographs, path));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const embed = (more: string[]) => [
  'embed',
  '--data',
  `folder:${photographs}`,
  '--out',
  join(folder, 'e.npy'),
  '--crop',
  '32',
  '--json',
  ...more,
];
const byModel = ['--model', 'mobilenet-v2', '--backend', 'cpu'];

async function expected(options: object): Promise<Float32Array> {
  const source = imageFiles({
    ...{
      name: 'photographs',
      root: photographs,
      files: paths,
      labels: [0, 0, 1, 1],
      transform: { resize: 32, crop: 32 },
    },
  });
  const ensemble = new Ensemble([mobilenetV2({ weights, ...options }).build([32, 32, 3], 0)]);
  const { data } = await ensemble.embed(source);
  ensemble.dispose();
  return data as Float32Array;
}

test('published weights embed a folder of images: pooled features without a head, all of the network with one', async () => {
  const features = await runCli(embed([...byModel, '--weights', headless, '--head', 'none']));
  expect(features).toMatchObject({ code: 0 });
  expect(JSON.parse(features.stdout)).toMatchObject({ rows: 4, columns: FEATURES.mobilenet_v2, model: 'mobilenet-v2' });
  expect((await readNpy(join(folder, 'e.npy'))).data).toEqual(await expected({ head: 'none' }));
  expect([...(await readNpy(join(folder, 'e.labels.npy'))).data]).toEqual([0, 0, 1, 1]);
  // Neither is --head needed: the file says whether it has one.
  expect(JSON.parse((await callCli(embed([...byModel, '--weights', headless]))).stdout).columns).toBe(1280);
  expect(JSON.parse((await callCli(embed([...byModel, '--weights', weights]))).stdout).columns).toBe(64);
  expect((await readNpy(join(folder, 'e.npy'))).data).toEqual(await expected({ dimension: 64 }));
});

test('a module of one’s own embeds', async () => {
  const path = join(folder, 'model.mjs');
  // A specification by hand: what it gives is what build gives, an embedder.
  writeFileSync(
    path,
    `export default { kind: 'mine', config: {}, build: ([h, w, c]) => ({
      inputShape: [h, w, c], embedding: 3, weights: new Map(), variables: () => [], dispose() {},
      apply: (x) => x.mean([1, 2]),
    }) };`,
  );
  const { code, stdout } = await runCli(embed(['--model', path, '--backend', 'cpu']));
  expect({ code, columns: JSON.parse(stdout).columns }).toEqual({ code: 0, columns: 3 });
});

test('a run made by a module is opened by those who name the module, and by nobody else', async () => {
  const [path, mark, run] = ['made.mjs', 'ran', 'run'].map((name) => join(folder, name));
  writeFileSync(
    path,
    `import { writeFileSync } from 'node:fs';
     import { convEmbedder } from ${JSON.stringify(join(process.cwd(), 'src/models/index.ts'))};
     writeFileSync(${JSON.stringify(mark)}, '');
     export default (shape, seed) => convEmbedder({ dimension: 2, width: 1 }).build(shape, seed);`,
  );
  const model = { kind: 'module', path } as const;
  await loadModel({ model });
  const spec = modelOf({ model });
  const data = tinyImages();
  (await train({ data, model: spec, epochs: 1, batch: { size: 12 }, checkpoint: run, backend: 'cpu' })).dispose();
  expect(existsSync(mark)).toBe(true);
  rmSync(mark);
  // Another process, in which nobody has named it.
  const { code, stderr } = await runCli(['export', run, '--out', join(folder, 'exported')]);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain(`Expected the module ${path} to be named by you`);
  expect(existsSync(mark)).toBe(false);
  const loaded = await loadEnsemble(run, spec);
  expect(loaded.embedding).toBe(2);
  loaded.dispose();
});

test.each([
  [[], 'Expected a run or --model to embed with but received neither.'],
  [
    ['some-run', ...byModel, '--weights', 'x.safetensors'],
    'Expected a run or --model to embed with but received both.',
  ],
  [byModel, 'Expected --weights with --model mobilenet-v2: without them its embeddings are drawn.'],
  [
    [...byModel, '--weights', headless, '--head', 'linear'],
    `Expected a head, embedding.weight, in ${headless} but found none.`,
  ],
  [['--model', 'mobilenetV2'], 'Expected --weights with --model mobilenet-v2'],
  [['--model', 'resnet'], 'for --model but received "resnet".'],
  [['--model', 'conv', '--weights', weights, '--pooling', 'gap'], 'Expected no --weights with the model conv.'],
])('embed %j: one clear sentence', async (more, sentence) => {
  const { code, stderr } = await callCli(embed(more));
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain(sentence);
});
