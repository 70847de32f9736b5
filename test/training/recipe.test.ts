import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { modelOf, trainOptionsOf } from '../../src/config/make.js';
import { parseConfig } from '../../src/config/read.js';
import type { Config } from '../../src/config/schema.js';
import { contrastive } from '../../src/losses/index.js';
import { headOf } from '../../src/models/head.js';
import { convEmbedder, type Embedder, type ModelSpec, resnet50 } from '../../src/models/index.js';
import { partsOf } from '../../src/part.js';
import { type TrainOptions, train } from '../../src/training/index.js';
import { fingerprint, settingsOf } from '../../src/training/options.js';
import * as recipes from '../../src/training/recipes/list.js';
import { QUICKER } from '../evaluation/brief.js';
import { tinyImages } from '../models/tiny-images.js';

const options: TrainOptions = {
  data: tinyImages(),
  model: convEmbedder({ dimension: 4, width: 2 }),
  seed: 1,
  epochs: 2,
  batch: { size: 12 },
  backend: QUICKER,
};

const weightsOf = ({ weights }: Embedder) =>
  Object.fromEntries([...weights].map(([name, value]) => [name, Array.from(value.dataSync())]));

async function trainedWeights(change: Partial<TrainOptions>) {
  const ensemble = await train({ ...options, ...change });
  const weights = weightsOf(ensemble.members[0]);
  ensemble.dispose();
  return weights;
}

/** The network that it begins with. */
function initial() {
  let first: Record<string, number[]> | undefined;
  const model: ModelSpec = {
    ...options.model,
    build: (shape, seed) => {
      const embedder = options.model.build(shape, seed);
      first ??= weightsOf(embedder);
      return embedder;
    },
  };
  return { model, weights: () => first! };
}

test('the published values, by set and network; what is given goes before them', () => {
  const of = (name: string, model: ModelSpec, more: Partial<TrainOptions> = {}) =>
    settingsOf({ data: { ...tinyImages(), name }, model, recipe: 'proxy-anchor', ...more });
  const [conv, r50] = [convEmbedder(), resnet50()];
  expect(of('cub200', conv)).toMatchObject({
    ...{ epochs: 60, batch: { size: 180 }, learningRate: 1e-4, proxyLearningRate: 1e-2, weightDecay: 1e-4 },
    ...{ schedule: { name: 'step', every: 10, gamma: 0.5 }, warmUp: 1, clip: { value: 10 }, decay: undefined },
  });
  expect(of('cub200', r50)).toMatchObject({ batch: { size: 120 }, warmUp: 5, schedule: { every: 5, gamma: 0.5 } });
  expect(of('cars196', conv)).toMatchObject({ schedule: { every: 20, gamma: 0.5 }, learningRate: 1e-4 });
  expect(of('cars196', r50)).toMatchObject({ schedule: { every: 10 } });
  for (const set of ['sop', 'in-shop']) {
    expect(of(set, conv)).toMatchObject({ learningRate: 6e-4, schedule: { every: 20, gamma: 0.25 } });
  }
  const given = { epochs: 3, learningRate: 1e-3, batch: { classes: 2, images: 3 }, clip: { norm: 1 }, warmUp: 0 };
  expect(of('cub200', conv, { ...given, schedule: undefined })).toMatchObject({
    ...given,
    ...{ warmUp: undefined, proxyLearningRate: 0.1, schedule: { name: 'step' } },
  });
  expect(() => of('cub200', conv, { recipe: 'proxy-ancor' as never })).toThrow(/recipe .*did you mean proxy-anchor/);
});

test('every piece of it can be turned off', async () => {
  const plain = { epochs: 10, batch: { size: 128 }, learningRate: 1e-3, weightDecay: 1e-4 };
  const off = { ...plain, schedule: { name: 'constant' }, warmUp: 0, clip: 'none' } as const;
  const loop = partsOf(recipes).flatMap((recipe) =>
    ['cub200', 'sop'].flatMap((data) => Object.keys(recipe.make({}).loop({ data, model: { kind: 'resnet50' } }))),
  );
  // Of a piece that a recipe comes to have, how it is turned off must be said here.
  expect([...new Set(loop)].sort()).toEqual(Object.keys(off).sort());
  const own = { data: tinyImages(), model: convEmbedder() };
  const record = (more: Partial<TrainOptions>) => fingerprint(settingsOf({ ...own, ...more }));
  expect(await record({ recipe: 'proxy-anchor', ...off })).toEqual(await record({}));
  const config: Config = { data: { name: 'cub200', root: 'x' }, training: { recipe: 'proxy-anchor', ...off } };
  expect(parseConfig(config, 'file')).toEqual(config);
  expect(settingsOf({ ...trainOptionsOf(config), data: tinyImages() }).clip).toBeUndefined();
  expect(() => settingsOf({ ...own, clip: 'off' as never })).toThrow(
    'Expected none, or {value} or {norm} of a finite number > 0 for clip but received "off".',
  );
});

test('a run of a recipe without its clip has the bits of one that never had it', async () => {
  const given = { recipe: 'proxy-anchor', learningRate: 0.01, warmUp: 0, schedule: { name: 'constant' } } as const;
  const without = await trainedWeights({ ...given, clip: 'none' });
  expect(without).toEqual(await trainedWeights({ learningRate: 0.01 }));
  // One that cuts: had `none` been passed over, the recipe's would have.
  expect(without).not.toEqual(await trainedWeights({ ...given, clip: { value: 1e-6 } }));
});

test('a configuration has the network of the recipe, where it is one that has such options', () => {
  const training = { recipe: 'proxy-anchor' as const };
  const of = (data: string, model: Config['model']) =>
    modelOf({ data: { name: data, root: 'x' } as Config['data'], model, training }).config;
  expect(of('cub200', { kind: 'resnet50' })).toMatchObject({ pooling: 'gap+gmp', frozenBatchNorm: true });
  expect(of('sop', { kind: 'bn-inception' })).toMatchObject({ pooling: 'gap+gmp', frozenBatchNorm: false });
  expect(of('cub200', { kind: 'resnet50', pooling: 'gap', frozenBatchNorm: false })).toMatchObject({
    ...{ pooling: 'gap', frozenBatchNorm: false },
  });
  expect(of('folder', { kind: 'resnet50' })).toMatchObject({ pooling: 'gap+gmp', frozenBatchNorm: false });
  expect(of('cub200', { kind: 'conv' })).toEqual(modelOf({ model: { kind: 'conv' } }).config);
  expect(modelOf({ model: { kind: 'resnet50' } }).config).toMatchObject({ pooling: 'gap', frozenBatchNorm: false });
});

test('a checkpoint of before has the same record, and what changes nothing leaves none', async () => {
  const keys = ['data', 'model', 'loss', 'method', 'seed', 'batch', 'learningRate', 'proxyLearningRate', 'weightDecay'];
  const record = async (change: Partial<TrainOptions>) =>
    Object.keys(await fingerprint(settingsOf({ ...options, ...change })));
  expect(await record({})).toEqual(keys);
  expect(await record({ decay: 'all', warmUp: 0, schedule: { name: 'constant' } })).toEqual(keys);
  expect(await record({ recipe: 'proxy-anchor' })).toEqual([...keys, 'schedule', 'warmUp', 'clip']);
});

test('in the warm-up only head and proxies move: the rest of the variables keep their bits', async () => {
  const { model, weights } = initial();
  const warm = await trainedWeights({ model, warmUp: 2 });
  const trunk = Object.keys(warm).filter((name) => !/^embedding\/|moving_/.test(name));
  expect(trunk.length).toBeGreaterThan(4);
  for (const name of trunk) expect(warm[name]).toEqual(weights()[name]);
  const head = Object.keys(warm).filter((name) => name.startsWith('embedding/'));
  expect(head).toHaveLength(2);
  for (const name of head) expect(warm[name]).not.toEqual(weights()[name]);
  const after = await trainedWeights({ model, warmUp: 1 });
  for (const name of trunk) expect(after[name]).not.toEqual(weights()[name]);
});

test('the head is the last dense layer, or what the embedder says', () => {
  const embedder = convEmbedder({ dimension: 4, width: 2 }).build([8, 8, 1], 1);
  expect(headOf(embedder).map(({ shape }) => shape.at(-1))).toEqual([4, 4]);
  const [one] = embedder.variables();
  expect(headOf({ ...embedder, head: () => [one] })).toEqual([one]);
  const { layers: _, ...bare } = embedder;
  expect(() => headOf(bare)).toThrow(/which of its variables are its head/);
  embedder.dispose();
});

test('a warm-up in which nothing could move is refused', async () => {
  const model: ModelSpec = {
    ...options.model,
    build: (shape, seed) => ({ ...options.model.build(shape, seed), head: () => [] }),
  };
  const refused = train({ ...options, model, warmUp: 1, loss: contrastive() });
  await expect(refused).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringMatching(/no warmUp/) });
  const { weights, model: counted } = initial();
  const still = await trainedWeights({
    model: { ...counted, build: (...of) => ({ ...counted.build(...of), head: () => [] }) },
    warmUp: 2,
  });
  for (const name of Object.keys(still).filter((name) => !/moving_/.test(name)))
    expect(still[name]).toEqual(weights()[name]);
});

test('without decay of vectors, a kernel shrinks and the rest does not', async () => {
  const { model, weights } = initial();
  // Nothing but the decay moves anything: the rate of the steps is next to nothing, that of the decay is not.
  const still = { learningRate: 1e-12, proxyLearningRate: 0, weightDecay: 1e10, epochs: 1 };
  const all = await trainedWeights({ model, ...still });
  const kernels = await trainedWeights({ model, ...still, decay: 'kernels' });
  for (const name of Object.keys(all).filter((name) => !/moving_/.test(name))) {
    const size = (values: number[]) => Math.max(...values.map(Math.abs));
    const before = size(weights()[name]);
    const shrunk = before * (1 - 1e-2) ** 4;
    if (before > 0) expect(size(all[name]) / shrunk).toBeCloseTo(1, 5);
    if (before > 0) expect(size(kernels[name]) / (/kernel/.test(name) ? shrunk : before)).toBeCloseTo(1, 5);
  }
});

test('rate and clipping reach the update', async () => {
  const plain = await trainedWeights({});
  expect(await trainedWeights({ schedule: { name: 'constant' }, clip: { value: 1e9 } })).toEqual(plain);
  expect(await trainedWeights({ schedule: { name: 'step', every: 1, gamma: 0.5 } })).not.toEqual(plain);
  const first = await trainedWeights({ epochs: 1 });
  expect(await trainedWeights({ epochs: 1, schedule: { name: 'step', every: 1, gamma: 0.5 } })).toEqual(first);
  expect(await trainedWeights({ clip: { value: 1e-3 } })).not.toEqual(plain);
  expect(await trainedWeights({ clip: { norm: 1e-3 } })).not.toEqual(plain);
});

test('no tensor is left behind', async () => {
  const before = tf.memory().numTensors;
  await trainedWeights({ recipe: 'proxy-anchor', epochs: 2, batch: { size: 12 }, decay: 'kernels', clip: { norm: 1 } });
  expect(tf.memory().numTensors).toBe(before);
});
