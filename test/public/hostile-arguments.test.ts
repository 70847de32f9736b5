import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageBatch } from '../../src/data/image-batch.js';
import * as api from '../../src/index.js';
import * as kernels from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';
import { tinyImages } from '../models/tiny-images.js';
import { reportOf } from '../report/reports.js';
import { faultOf, faultsOf } from './hostile.js';

const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-hostile-'));
const data = tinyImages({ perClass: 3 });
const n = data.length;
const matrix = { data: Float32Array.from({ length: 4 * n }, (_, i) => Math.sin(i)), rows: n, cols: 4 };
const attack = { epsilon: 0.1, steps: 1 };
/** So that a call which nothing is wrong with ends at once. */
const signal = AbortSignal.abort();
const all = Int32Array.from(data.labels.keys());
const labels = data.labels.map((label) => label - 10);
const ranking = {
  distances: new Float32Array(n * n).fill(1),
  ...{ rows: n, cols: n, queryLabels: labels, labels, self: all },
};
const targets = new Int32Array(n);
const scores = { 'CA+': 1, 'CA-': 1, 'QA+': 1, 'QA-': 1, TMA: 0, 'ES:D': 1, 'ES:R': 1, LTM: 1, GTM: 1, GTT: 1 };

const report = reportOf(0.9, { pgd: 0.5 });
const history = { epochs: 1, gradientEvaluations: 5, seconds: 1 };
const runResult = { label: 'at', seed: 1, budget: 'epochs', history, report };

/** Arguments that are right, for every public function. */
type Arguments = { [Name in keyof typeof api as Exclude<Name, keyof typeof kernels>]?: () => readonly unknown[] };

let ensemble: api.Ensemble;
let batch: { embeddings: tf.Tensor2D; labels: tf.Tensor1D; proxies: tf.Tensor2D };
let images: tf.Tensor4D;

const methods = ['at', 'ensembleAt', 'trades', 'est', 'act', 'hm', 'adp', 'gal', 'dverge', 'eat', 'eatHeads'] as const;
const losses = ['proxyAnchor', 'tripletMargin', 'contrastive', 'multiSimilarity', 'ntXent'] as const;

/** A configuration whose data are not there. */
const nowhere = { seed: 1, backend: 'cpu', data: { name: 'idx', images: 'none', labels: 'none' } };

const ARGUMENTS: Arguments = {
  ...Object.fromEntries(methods.map((name) => [name, () => [{ members: 3, attack }]])),
  ...Object.fromEntries(losses.map((name) => [name, () => [{}]])),
  at: () => [{ attack }],
  standard: () => [{ members: 1 }],
  proxyAnchor: () => [{ alpha: 1, delta: 0 }],
  tripletMargin: () => [{ margin: 0.1, mining: 'all' }],
  contrastive: () => [{ positiveMargin: 0, negativeMargin: 1 }],
  multiSimilarity: () => [{ alpha: 1, beta: 1, base: 0, mining: 0.1 }],
  ntXent: () => [{ temperature: 1 }],
  fgsm: () => [{ norm: 'linf', epsilon: 0.1, randomStart: true }],
  pgd: () => [{ norm: 'l2', epsilon: 2, steps: 2, stepSize: 1, randomStart: false, restarts: 1, keep: 'best' }],
  miFgsm: () => [{ epsilon: 0.1, momentum: 0.5 }],
  mpgd: () => [{ epsilon: 0.1, stepSize: 0.05, momentum: 0.5 }],
  apgd: () => [{ norm: 'l1', epsilon: 5, steps: 3, restarts: 1 }],
  carliniWagner: () => [{ epsilon: 2, steps: 3, searches: 1, learningRate: 0.1, confidence: 0 }],
  square: () => [{ norm: 'l2', epsilon: 2, steps: 3, share: 0.5, restarts: 1 }],
  objective: () => ['proxy'],
  attackContext: () => [matrix, data.labels],
  rankingObjective: () => ['GTM', targets, 'robrank'],
  selectTargets: () => ['GTT', ranking, randomStream(1), 'robrank'],
  empiricalRobustnessScore: () => [scores],
  rankingMeasures: () => ['QA+', { attacked: matrix, clean: matrix, gallery: matrix, ranking, targets }],
  runAttack: () => [
    {
      ...{ model: ensemble, images, objective: api.objective('centroid-margin'), settings: api.pgd(attack) },
      ...{ labels, centroids: tf.ones([4, 4]), start: images, seed: 1, path: ['a', 1] },
      gallery: { embeddings: tf.ones([n, 4]), labels, self: all },
      rest: { sums: tf.ones([4, 4]), counts: Int32Array.of(1, 1, 1, 1) },
    },
  ],
  runConfig: () => [nowhere, { resume: false, onProgress: () => undefined, signal }],
  sweepConfig: () => [
    { out: folder, seeds: [1], base: nowhere, runs: { a: {} } },
    { shard: [1, 1], signal },
  ],
  loadEnsemble: () => [folder, api.convEmbedder()],
  clusterEmbeddings: () => [matrix, { k: 2, seed: 1, restarts: 1, maxIterations: 3, device: 'js', signal }],
  clusteringScores: () => [labels, labels],
  initDistributed: () => [{ strict: false }],
  ensembleOnRanks: () => [api.single(), ensemble],
  shardOf: () => [10, { rank: 0, size: 2 }],
  distributedKmeans: () => [
    api.single(),
    matrix,
    { k: 2, init: 'random', seed: 1, restarts: 1, maxIterations: 2, tolerance: 0.1, device: 'js', signal },
  ],
  distributedNeighbors: () => [
    api.single(),
    matrix,
    matrix,
    { k: 2, excludeSelf: true, metric: 'cosine', device: 'js', signal },
  ],
  retrievalScores: () => [
    matrix,
    labels,
    { recallAt: [1], gallery: { embeddings: matrix, labels, selfIndex: 'same-row' }, device: 'js', signal },
  ],
  balancedBatches: () => [{ labels, classes: 2, images: 2, seed: 1, epoch: 0 }],
  uniformBatches: () => [{ count: 9, size: 2, seed: 1, epoch: 0, last: 'drop' }],
  classesOf: () => [data],
  datasetFromArrays: () => [
    { images: data.images, labels: data.labels, shape: data.shape, name: 'x', classNames: { 10: 'ant' } },
  ],
  // Nothing is read: there is no such folder.
  inspect: () => [join(folder, 'none'), { as: 'sop', signal }],
  openData: () => ['sop', { root: join(folder, 'none'), split: 'random', seed: 1 }],
  withoutBroken: () => [
    { name: 'files', root: folder, files: ['a.jpg'], labels: [0], transform: { resize: 8 } },
    { skipBroken: 1 },
  ],
  imageFiles: () => [
    {
      ...{ name: 'x', root: folder, files: ['a.png'], labels: [1], classNames: { 1: 'ant' } },
      ...{ transform: { resize: 4, crop: 2 }, channels: 1, seed: 1 },
    },
  ],
  decodedCache: () => [api.sourceOf(data), { folder, signal }],
  scoreEmbeddings: () => [matrix, labels],
  sourceOf: () => [data],
  subset: () => [data, [0, 1]],
  splitByClass: () => [data, { trainClasses: [10], seed: 1 }],
  splitBySample: () => [data, { testFraction: 0.5, seed: 1 }],
  // Two keys are wrong, so that nothing is read whichever is replaced.
  fashionMnist: () => [{ split: 'closed-set', seed: 0.5, perClass: 0.5, trainClasses: [1], cacheDir: folder }],
  emoji: () => [{ split: 'closed-set', seed: 1, classes: 4, side: 16, cacheDir: folder }],
  readNpy: () => [join(folder, 'none')],
  writeNpy: () => [join(folder, 'npy'), { shape: [2], data: Int32Array.of(1, 2) }],
  readIdx: () => [join(folder, 'none')],
  writeIdx: () => [join(folder, 'idx'), { shape: [2], data: Uint8Array.of(1, 2) }],
  evaluate: () => [
    ensemble,
    data,
    {
      ...{ suite: 'quick', norm: 'l2', epsilon: 2, restarts: 1, k: 2, clusterRestarts: 1, count: 8, batchSize: 4 },
      ...{ partial: [], transfer: false, attacks: [], seed: 1, reference: data, backend: 'cpu', signal },
      onProgress: () => undefined,
    },
  ],
  evaluateRanking: () => [ensemble, data, { epsilon: 0.1, norm: 'linf', steps: 1, seed: 1, backend: 'cpu', signal }],
  suite: () => ['quick', { norm: 'linf', epsilon: 0.1, restarts: 1 }],
  chooseBackend: () => [{ backend: 'cpu' }],
  c2f2: () => [{ dimension: 2 }],
  convEmbedder: () => [{ dimension: 2, width: 1 }],
  resnet18: () => [{ dimension: 2 }],
  resnet50: () => [{ dimension: 2 }],
  bnInception: () => [{ dimension: 2 }],
  fromLayersModel: () => [
    tf.sequential({
      layers: [tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 8 }), tf.layers.flatten()],
    }),
    { unitNorm: true, preprocess: (x: tf.Tensor4D) => x },
  ],
  fromGraphModel: () => [
    {
      inputs: [{ shape: [-1, 8, 8, 1] }],
      outputs: [{}],
      execute: (x: tf.Tensor4D) => tf.mean(x, [1, 2]),
      dispose() {},
    } as never,
    { unitNorm: true, inputShape: [8, 8, 1] },
  ],
  fromFunction: () => [(x: tf.Tensor4D) => tf.mean(x, [1, 2]), { unitNorm: true, inputShape: [8, 8, 1], dimension: 1 }],
  exportLayers: () => [ensemble, join(folder, 'layers')],
  exportWeights: () => [ensemble, join(folder, 'weights')],
  mobilenetV2: () => [{ dimension: 2 }],
  train: () => [
    {
      ...{ data, model: api.convEmbedder({ dimension: 2, width: 1 }), loss: api.ntXent(), method: api.standard() },
      ...{ seed: 1, epochs: 1, batch: { size: 4 }, learningRate: 0.1, proxyLearningRate: 1, weightDecay: 0 },
      ...{ backend: 'cpu', checkpoint: undefined, resume: false, onProgress: () => undefined, signal },
      distributed: { group: api.single(), shards: 1, memberGroups: 1 },
    },
  ],
  attackStepTensor: () => [
    { origin: images, current: images, gradient: images, norm: 'linf', epsilon: 0.1, stepSize: 0.1, box: [0, 1] },
  ],
  projectTensor: () => [images, { norm: 'l2', epsilon: 1, around: images, box: [0, 1] }],
  pairwiseDistanceTensor: () => [batch.embeddings, batch.embeddings, { metric: 'cosine' }],
  nearestCentroidTensor: () => [batch.embeddings, batch.proxies],
  unitRows: () => [batch.embeddings],
  parseRunResult: () => [JSON.stringify(runResult), 'result.json'],
  fromMatrix: () => [matrix],
  toMatrix: () => [batch.embeddings],
  compare: () => [[{ method: 'at', report }], ['nmi']],
  comparisonText: () => [api.compare([{ method: 'at', report }])],
  reportHtml: () => [[{ name: 'at', report }]],
  reportText: () => [report],
  manifestText: () => [report.manifest],
  tableRows: () => [[runResult]],
  tableMarkdown: () => [api.tableRows([runResult])],
  tablePicture: () => [api.tableRows([runResult])],
  pairedRows: () => [[runResult], 'at'],
  pairedMarkdown: () => [api.pairedRows([runResult, { ...runResult, label: 'eat' }], 'at'), 'at'],
  openEventFile: () => [join(folder, 'events')],
  writeProjector: () => [folder, matrix, labels],
};
/** Without arguments, or dear and without any to get wrong. */
const NONE = ['configJsonSchema', 'EatDmlError', 'coverage', 'single', 'tensorKernelCalls', 'resetTensorKernelCalls'];

/** Every function by its name. */
const exported = new Map<string, unknown>(Object.entries(api));

const functions = [...exported].filter(
  ([name, value]) => typeof value === 'function' && !(name in kernels) && !NONE.includes(name),
);

beforeAll(async () => {
  // Where a hostile string is a path, it is one in there.
  process.chdir(folder);
  await api.chooseBackend({ backend: 'cpu' });
  ensemble = new api.Ensemble([api.convEmbedder({ dimension: 4, width: 1 }).build([8, 8, 1], 1)]);
  images = imageBatch(data, all);
  const tensor = (rows: number) => tf.randomNormal<tf.Rank.R2>([rows, 4], 0, 1, 'float32', 3);
  batch = { embeddings: tensor(n), labels: tf.tensor1d(labels, 'int32'), proxies: tensor(4) };
});

afterAll(() => {
  process.chdir(root);
  rmSync(folder, { recursive: true, force: true });
});

test('every public function is called here', () => {
  const classes = ['Ensemble', 'TrainedEnsemble'];
  const missing = functions.map(([name]) => name).filter((name) => !(name in ARGUMENTS) && !classes.includes(name));
  expect(missing).toEqual([]);
});

/** Functions whose defaults take long, and the argument that would leave all to them. */
const DEAR: Partial<Record<keyof Arguments, number>> = { fashionMnist: 0, emoji: 0, evaluate: 2, evaluateRanking: 2 };

test.each(Object.keys(ARGUMENTS))('%s', async (name) => {
  const run = exported.get(name) as (...args: never[]) => unknown;
  const args = ARGUMENTS[name as keyof Arguments]!();
  expect(await faultOf(() => run(...(args as never[])))).toBeUndefined();
  expect(await faultsOf(run, args, DEAR[name as keyof Arguments])).toEqual([]);
});

test.each(losses)('%s, of a batch', async (name) => {
  const args = [batch.embeddings, batch.labels, batch.proxies];
  const loss = (exported.get(name) as () => () => unknown)();
  expect(await faultsOf(loss, args)).toEqual([]);
});

test('Ensemble and TrainedEnsemble', async () => {
  const members = [...ensemble.members];
  const build = (given: never) => void new api.Ensemble(given);
  expect(await faultsOf(build, [members])).toEqual([]);
  for (const member of [new (class {})(), tf.sequential(), { ...members[0], embedding: 0 }]) {
    expect(() => build([member] as never)).toThrow(api.EatDmlError);
  }
  const trained = (given: never) => void new api.TrainedEnsemble(given, labels, { ...history, steps: 1 } as never);
  expect(await faultsOf(trained, [[{ embedder: members[0], proxies: tf.variable(tf.ones([2, 4])) }]])).toEqual([]);
  const embed = (...args: never[]) => ensemble.embed(...(args as unknown as [never]));
  expect(await faultsOf(embed, [images, { batchSize: 4, signal }])).toEqual([]);
  expect(await faultsOf(embed, [{ images: data.images, shape: data.shape }, {}])).toEqual([]);
  expect(
    await faultsOf((...args: never[]) => ensemble.apply(...(args as unknown as [never])), [images, false]),
  ).toEqual([]);
});

test('a model specification', async () => {
  const { build } = api.convEmbedder({ dimension: 2, width: 1 });
  expect(await faultsOf(build as never, [[8, 8, 1], 1])).toEqual([]);
});
