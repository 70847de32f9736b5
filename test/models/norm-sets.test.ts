import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { objective, pgd } from '../../src/attacks/index.js';
import { exportWeights } from '../../src/checkpoints/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import {
  convEmbedder,
  type Embedder,
  Ensemble,
  type ImageShape,
  type ModelSpec,
  mobilenetV2,
  type TrainingMode,
} from '../../src/models/index.js';
import { readSafetensors } from '../../src/models/safetensors.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { passChecks } from '../evaluation/without-checks.js';
import { writeWeights } from './published.js';
import { tinyImages } from './tiny-images.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-norm-sets-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

const made: Embedder[] = [];
afterEach(() => {
  for (const embedder of made.splice(0)) embedder.dispose();
});
const built = (spec: ModelSpec, of: ImageShape = shape) => {
  made.push(spec.build(of, 1));
  return made.at(-1)!;
};

const shape: ImageShape = [8, 8, 1];
const options = { dimension: 4, width: 2 };
const imagesOf = (seed: number, from = 0, to = 1) =>
  tf.randomUniform<tf.Rank.R4>([6, ...shape], from, to, 'float32', seed);
const embedded = ({ apply }: Embedder, mode?: TrainingMode) =>
  Array.from(tf.tidy(() => apply(imagesOf(3), mode).dataSync()));
const valuesOf = ({ weights }: Embedder) =>
  Object.fromEntries([...weights].map(([name, weight]) => [name, Array.from(weight.dataSync())]));

/** A network whose sets have gone different ways. */
function parted(): Embedder {
  const embedder = built(convEmbedder({ ...options, batchNorm: 'split' }));
  tf.tidy(() => {
    for (let i = 0; i < 4; i++) {
      embedder.apply(imagesOf(i, 0, 0.5), true);
      embedder.apply(imagesOf(i, 0.4, 1), 'adversarial');
    }
    embedder.weights.get('norm2/adversarial_gamma')!.assign(tf.tensor1d([1.5, 0.5, 2, 1]));
  });
  return embedder;
}

test('a second set of normalisations, and one of all else; both begin as the only one of a shared network does', () => {
  const [shared, split] = [convEmbedder(options), convEmbedder({ ...options, batchNorm: 'split' })];
  expect(shared.config).toEqual(options);
  expect(split.config).toEqual({ ...options, batchNorm: 'split' });
  expect(shared.split!().config).toEqual(split.config);
  const [one, two] = [shared, split].map((spec) => built(spec));
  const second = [...two.weights.keys()].filter((name) => !one.weights.has(name));
  const ends = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
  expect(second).toEqual([1, 2, 3].flatMap((i) => ends.map((end) => `norm${i}/adversarial_${end}`)));
  expect(two.variables()).toHaveLength(one.variables().length + 6);
  expect([...split.weightShapes!(shape).keys()]).toEqual([...two.weights.keys()]);
  for (const mode of [false, 'batch', true, 'adversarial'] as const)
    expect(embedded(two, mode)).toEqual(embedded(one, mode));
  expect(one.by).toBeUndefined();
});

test('each mode moves the running statistics of its set alone, and inference is by the adversarial one', () => {
  const embedder = built(convEmbedder({ ...options, batchNorm: 'split' }));
  const moved = (mode: TrainingMode) => {
    const before = valuesOf(embedder);
    embedded(embedder, mode);
    const after = valuesOf(embedder);
    return Object.keys(after).filter((name) => String(after[name]) !== String(before[name]));
  };
  const of = (set: string) =>
    [1, 2, 3].flatMap((i) => ['mean', 'variance'].map((end) => `norm${i}/${set}moving_${end}`));
  expect([moved(false), moved('batch')]).toEqual([[], []]);
  expect(moved(true)).toEqual(of(''));
  expect(moved('adversarial')).toEqual(of('adversarial_'));
  const apart = parted();
  const [clean, adversarial] = (['clean', 'adversarial'] as const).map((set) => apart.by!(set));
  expect(embedded(apart)).toEqual(embedded(adversarial));
  expect(embedded(apart)).not.toEqual(embedded(clean));
  expect(embedded(apart, 'batch')).toEqual(embedded(adversarial, 'batch'));
  const frozen = tf.tidy(() => Array.from(apart.apply.frozen!().apply(imagesOf(3)).dataSync()));
  for (const [i, value] of frozen.entries()) expect(value).toBeCloseTo(embedded(adversarial)[i], 5);
  expect(() => apart.by!('both' as never)).toThrow(/one of clean, adversarial for set/);
});

test('a network by one of its sets is a plain one with those values; it shares them, and frees none', () => {
  const embedder = parted();
  const before = tf.memory().numTensors;
  for (const set of ['clean', 'adversarial'] as const) {
    const view = embedder.by!(set);
    const values = new Map(Object.entries(valuesOf(view)).map(([name, list]) => [name, Float32Array.from(list)]));
    const plain = convEmbedder(options).restore!(shape, values);
    expect(embedded(view)).toEqual(embedded(plain));
    expect(view.variables().map(({ shape }) => shape)).toEqual(plain.variables().map(({ shape }) => shape));
    view.dispose();
    plain.dispose();
  }
  expect(embedded(embedder)).toHaveLength(24);
  expect(tf.memory().numTensors).toBe(before);
});

test('both sets begin with the statistics of a file', () => {
  const path = join(folder, 'mobilenet.safetensors');
  writeWeights(path, 'mobilenet_v2');
  const { weights } = built(mobilenetV2({ weights: path, dimension: 64, batchNorm: 'split' }), [32, 32, 3]);
  for (const end of ['gamma', 'beta', 'moving_mean', 'moving_variance']) {
    const [first, second] = ['', 'adversarial_'].map((set) =>
      weights.get(`features.2.conv.0.1/${set}${end}`)!.dataSync(),
    );
    expect(second).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(50);
  }
  expect(() => mobilenetV2({ batchNorm: 'split', frozenBatchNorm: true })).toThrow(
    'Expected false with batchNorm split, as frozen sets would stay alike, for frozenBatchNorm but received true.',
  );
});

test('an export is the function that is evaluated', async () => {
  const embedder = parted();
  const layers = toLayersModel([embedder]);
  onTestFinished(() => void layers.dispose());
  const out = tf.tidy(() => Array.from((layers.predict(imagesOf(3)) as tf.Tensor).dataSync()));
  for (const [i, value] of out.entries()) expect(value).toBeCloseTo(embedded(embedder)[i], 5);
  const [file] = await exportWeights(new Ensemble([embedder]), join(folder, 'pytorch'));
  const { tensors } = readSafetensors(readFileSync(file), (what) => new Error(what));
  const ofNorm2 = [...tensors.keys()].filter((name) => name.startsWith('norm2'));
  expect(ofNorm2.sort()).toEqual(['bias', 'running_mean', 'running_var', 'weight'].map((end) => `norm2.${end}`));
  expect(Array.from(new Float32Array(Uint8Array.from(tensors.get('norm2.weight')!.bytes).buffer))).toEqual([
    1.5, 0.5, 2, 1,
  ]);
});

test('an evaluation is by one set for clean and attacked images, and says which', async () => {
  const data = tinyImages({ perClass: 2 });
  const ensemble = new Ensemble([parted()]);
  const attack = { name: 'shift', objective: objective('embedding-shift'), settings: pgd({ epsilon: 0.05, steps: 2 }) };
  const given = { attacks: [attack], epsilon: 0.05, backend: 'cpu' as const, bootstrap: 0 };
  passChecks();
  const [unsaid, adversarial, clean] = await Promise.all(
    [undefined, 'adversarial' as const, 'clean' as const].map((batchNorm) =>
      evaluate(ensemble, data, { ...given, batchNorm }),
    ),
  );
  const figures = ({ clean, attacks }: typeof unsaid) => [clean, attacks.map(({ scores }) => scores)];
  expect(figures(unsaid)).toEqual(figures(adversarial));
  const [member] = ensemble.members;
  const alone = await evaluate(new Ensemble([member.by!('clean')]), data, given);
  expect(figures(clean)).toEqual(figures(alone));
  expect(figures(clean)).not.toEqual(figures(unsaid));
  expect([unsaid, adversarial, clean, alone].map(({ manifest }) => manifest.batchNorm)).toEqual([
    ...['adversarial', 'adversarial', 'clean', undefined],
  ]);
  const shared = new Ensemble([built(convEmbedder(options))]);
  await expect(evaluate(shared, data, { ...given, batchNorm: 'clean' })).rejects.toThrow(
    'Expected no batchNorm for an ensemble whose members have one set of batch normalisations but received clean.',
  );
});
