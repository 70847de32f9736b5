import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pgd, runAttack } from '../../src/attacks/index.js';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { modelOf, trainOptionsOf } from '../../src/config/make.js';
import { parseConfig } from '../../src/config/read.js';
import { proxyAnchor } from '../../src/losses/index.js';
import { counted } from '../../src/models/counted.js';
import { convEmbedder, type Embedder, type Ensemble, type ModelSpec } from '../../src/models/index.js';
import { at, eat, type TrainOptions, trades, train } from '../../src/training/index.js';
import { fingerprint, settingsOf } from '../../src/training/options.js';
import { proxyLogits } from '../../src/training/proxy-logits.js';
import { tinyImages } from '../models/tiny-images.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-split-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

const attack = { epsilon: 0.1, steps: 2 };
const split = { attack, batchNorm: 'split' } as const;
const options: TrainOptions = {
  ...{ data: tinyImages(), model: convEmbedder({ dimension: 4, width: 2 }), method: trades(split) },
  ...{ seed: 1, epochs: 4, batch: { size: 12 }, learningRate: 0.01, backend: 'cpu' },
};
const valuesOf = ({ members }: Ensemble) =>
  members.map(({ weights }) => [...weights].map(([name, weight]) => [name, Array.from(weight.dataSync())]));

/** Networks of one set each, of the same weights but those of their set: what the loss of two sets is made of. */
function apart(embedder: Embedder): Embedder[] {
  return (['clean', 'adversarial'] as const).map((set) => {
    const values = [...embedder.by!(set).weights].map(([name, weight]) => [name, weight.dataSync().slice()] as const);
    return convEmbedder({ dimension: 4, width: 2 }).restore!([8, 8, 1], new Map(values as never));
  });
}

function stepOf() {
  const embedder = convEmbedder({ dimension: 4, width: 2, batchNorm: 'split' }).build([8, 8, 1], 1);
  tf.tidy(() => {
    for (let i = 0; i < 5; i++) embedder.apply(tf.randomUniform([8, 8, 8, 1], 0.5, 1, 'float32', i), 'adversarial');
    embedder.weights.get('norm1/adversarial_beta')!.assign(tf.tensor1d([0.3, -0.2]));
  });
  const images = tf.randomUniform<tf.Rank.R4>([8, 8, 8, 1], 0, 1, 'float32', 5);
  const proxies = tf.variable(tf.randomNormal([2, 4], 0, 1, 'float32', 6));
  const labels = Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
  const rows = [Int32Array.from(labels.keys())];
  return { members: [{ embedder, proxies }], images, labels, rows, loss: proxyAnchor(), seed: 3, step: 0 };
}

const logProbabilities = (e: tf.Tensor2D, member: Parameters<typeof proxyLogits>[1]) =>
  tf.logSoftmax(proxyLogits(e, member)) as tf.Tensor2D;
const divergence = (p: tf.Tensor, q: tf.Tensor) => tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), 1) as tf.Tensor1D;

test.each(['running', 'batch'] as const)(
  'p(x) is by the clean set, p(x’) and its crafting by the other; crafting by %s',
  (by) => {
    const step = stepOf();
    const [member] = step.members;
    const method = trades({
      beta: 3,
      batchNorm: 'split',
      attack: { ...attack, batchNorm: by, randomStart: false, steps: 3 },
    });
    const [crafted] = method.craft(step);
    const [clean, adversarial] = apart(member.embedder);
    const mode = by === 'batch' ? 'batch' : false;
    const before = logProbabilities(clean.apply(step.images, mode), member);
    const expected = runAttack({
      model: { apply: (x) => adversarial.apply(x, mode) },
      images: step.images,
      objective: {
        ...{ name: 'divergence', joint: false, flatAtStart: true },
        bind: () => (e) => divergence(before, logProbabilities(e, member)),
      },
      settings: pgd({ ...attack, steps: 3, randomStart: false, keep: 'last' }),
      seed: 3,
      path: ['craft', 0, 0],
    });
    const far = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
    expect(far(crafted.images, step.images)).toBeCloseTo(0.1, 5);
    expect(far(crafted.images, expected)).toBeLessThan(1e-5);
    const labels = tf.tensor1d(step.labels, 'int32');
    const loss = method.memberLoss({ ...crafted, step, member: 0, labels }).dataSync()[0];
    const [e, attacked] = [clean.apply(step.images, true), adversarial.apply(crafted.images, true)];
    const kl = tf.mean(divergence(logProbabilities(e, member), logProbabilities(attacked, member))).dataSync()[0];
    const own = step.loss(e, labels, member.proxies as tf.Tensor as tf.Tensor2D).dataSync()[0];
    expect(loss).toBeCloseTo(own + 3 * kl, 4);
    expect(kl).toBeGreaterThan(1e-3);
  },
);

test('passes by a set are counted, too', () => {
  const passes = { forward: 0, backward: 0 };
  const { images, members } = stepOf();
  counted(members[0].embedder, passes).by!('clean').apply(images);
  expect(passes.forward).toBe(8);
});

test('both sets learn, and a run that goes on has the bits of one that did not stop, moving average and all', async () => {
  const more = { ema: 0.7, microBatch: 5, warmUp: 1, decay: 'kernels' as const };
  const whole = await train({ ...options, ...more });
  const dir = join(folder, 'run');
  (await train({ ...options, ...more, epochs: 2, checkpoint: dir })).dispose();
  const on = await train({ ...options, ...more, checkpoint: dir, resume: true });
  expect(valuesOf(on)).toEqual(valuesOf(whole));
  expect(on.history).toMatchObject({ losses: whole.history.losses });
  const loaded = await loadEnsemble(dir);
  expect(valuesOf(loaded)).toEqual(valuesOf(whole));
  expect(await loaded.embed(options.data)).toEqual(await whole.embed(options.data));
  const [{ weights }] = whole.members;
  for (const end of ['gamma', 'beta', 'moving_mean', 'moving_variance']) {
    const [first, second] = ['', 'adversarial_'].map((set) =>
      Array.from(weights.get(`norm3/${set}${end}`)!.dataSync()),
    );
    expect(new Set([...first, ...second].map((value) => value.toFixed(6))).size).toBeGreaterThan(8);
    expect(second).not.toEqual(first);
  }
  for (const ensemble of [whole, on, loaded]) ensemble.dispose();
});

test('shared is as it was, and split is known by its record', async () => {
  const [shared, own, plain] = [trades({ attack, batchNorm: 'shared' }), trades(split), trades({ attack })];
  expect(shared.config).toEqual(plain.config);
  expect(own.config).toMatchObject({ name: 'trades', batchNorm: 'split' });
  const record = (method: typeof own) => fingerprint(settingsOf({ ...options, method }));
  expect((await record(plain)).model).toEqual({ kind: 'conv', dimension: 4, width: 2 });
  expect((await record(own)).model).toEqual({ kind: 'conv', dimension: 4, width: 2, batchNorm: 'split' });
  const config = parseConfig({ method: { name: 'trades', ...split }, evaluation: { batchNorm: 'clean' } }, 'file');
  expect(settingsOf({ ...trainOptionsOf(config), data: options.data }).model.config.batchNorm).toBe('split');
  expect(modelOf({ model: { kind: 'resnet18', batchNorm: 'split' } }).config.batchNorm).toBe('split');
});

test.each<[Partial<TrainOptions>, string]>([
  [
    { model: { kind: 'mine', config: {}, build: options.model.build } as ModelSpec },
    'Expected batchNorm shared of the method trades for the model mine but received split.',
  ],
  ...[at({ attack }), eat({ attack }), trades({ attack })].map((method): [Partial<TrainOptions>, string] => [
    { model: convEmbedder({ batchNorm: 'split' }), method },
    `Expected batchNorm shared of the model conv for the method ${method.config.name}, which fills one set alone, but received split.`,
  ]),
])('what cannot be is refused: %#', async (change, message) => {
  await expect(train({ ...options, ...change })).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message });
});
