import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { objective, pgd, runAttack } from '../../src/attacks/index.js';
import { proxyAnchor } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { craftWith, trainingAttack, trainingAttackOptions } from '../../src/training/craft.js';
import { at, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';

beforeAll(() => tf.setBackend('cpu'));

const SETTINGS = { epsilon: 0.1, steps: 3, randomStart: false } as const;
const GOAL = objective('embedding-shift');

/** A step on eight images by one fresh network, whose running statistics are far from those of the batch. */
function stepOf() {
  const embedder = convEmbedder({ dimension: 4, width: 2 }).build([8, 8, 1], 1);
  const images = tf.randomUniform<tf.Rank.R4>([8, 8, 8, 1], 0, 1, 'float32', 5);
  const proxies = tf.variable(tf.ones([2, 4]));
  const labels = Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
  const rows = [Int32Array.from(labels.keys())];
  const step = { members: [{ embedder, proxies }], images, labels, rows, loss: proxyAnchor(), seed: 3, step: 0 };
  const settings = (batchNorm: 'running' | 'batch') =>
    trainingAttack(trainingAttackOptions.parse({ ...SETTINGS, batchNorm }));
  const craft = (batchNorm: 'running' | 'batch') => craftWith(step, [0], rows[0], settings(batchNorm), 0, GOAL);
  return { embedder, images, craft };
}

const far = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);

test("apply(x, 'batch') gives what training does, and moves nothing", () => {
  const { embedder, images } = stepOf();
  const mean = embedder.weights.get('norm1/moving_mean')!;
  const before = mean.dataSync().slice();
  const batch = embedder.apply(images, 'batch');
  expect(mean.dataSync()).toEqual(before);
  const training = embedder.apply(images, true);
  expect(far(batch, training)).toBe(0);
  expect(mean.dataSync()).not.toEqual(before);
  expect(far(embedder.apply(images), batch)).toBeGreaterThan(1e-3);
});

test('images are crafted by the statistics that the attack names, and crafting moves none', () => {
  const { embedder, images, craft } = stepOf();
  const before = embedder.weights.get('norm2/moving_variance')!.dataSync().slice();
  const [running, batch] = [craft('running'), craft('batch')];
  expect(embedder.weights.get('norm2/moving_variance')!.dataSync()).toEqual(before);
  expect(far(running, batch)).toBeGreaterThan(0.01);
  const by = (apply: (x: tf.Tensor4D) => tf.Tensor2D) =>
    runAttack({
      model: { apply },
      images,
      objective: GOAL,
      settings: { ...pgd({ ...SETTINGS, keep: 'last' }) },
      seed: 3,
      path: ['craft', 0, 0],
    });
  expect(
    far(
      batch,
      by((x) => embedder.apply(x, 'batch')),
    ),
  ).toBe(0);
  expect(
    far(
      running,
      by((x) => embedder.apply(x)),
    ),
  ).toBeLessThan(1e-6);
});

test('a method takes the mode with its attack, and says it; without, its configuration is as it was', async () => {
  const method = at({ attack: { ...SETTINGS, batchNorm: 'batch' } });
  expect(method.config.attack).toMatchObject({ batchNorm: 'batch' });
  expect(at({ attack: SETTINGS }).config.attack).not.toHaveProperty('batchNorm');
  expect(at({ attack: { ...SETTINGS, batchNorm: 'running' } }).config).toEqual(at({ attack: SETTINGS }).config);
  const [own, other] = await Promise.all(
    [method, at({ attack: SETTINGS })].map(async (one) => {
      const data = tinyImages();
      const model = convEmbedder({ dimension: 4, width: 2 });
      const ensemble = await train({
        data,
        model,
        method: one,
        epochs: 1,
        batch: { size: 12 },
        seed: 1,
        backend: 'cpu',
      });
      const { losses } = ensemble.history;
      ensemble.dispose();
      return losses[0];
    }),
  );
  expect(own).not.toBe(other);
});
