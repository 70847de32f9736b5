import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import type { ModelSpec, TrainingMode } from '../../src/models/index.js';
import { bnInception, convEmbedder, mobilenetV2, resnet18, resnet50 } from '../../src/models/index.js';
import type { Layer } from '../../src/models/layers.js';
import { networkModel } from '../../src/models/network.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { at, eatHeads, train } from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { fewOf } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

const norm = (name: string) => ({ name: `${name}/norm`, momentum: 0.9, epsilon: 1e-3 });
const conv = (name: string, filters: number, activation: 'relu' | 'none'): Layer => ({
  ...{ type: 'conv', name, filters, size: 3, strides: 1, padding: 'same', norm: norm(name), activation },
});

/** A block of each kind, one of them in another, around layers of their own. */
const LAYERS: Layer[] = [
  conv('first', 4, 'relu'),
  { type: 'sum', activation: 'relu', branches: [[conv('a1', 4, 'relu'), conv('a2', 4, 'none')], []] },
  { type: 'max-pool', size: 2, strides: 2, padding: 'valid' },
  {
    type: 'concat',
    branches: [
      [{ ...conv('b1', 4, 'relu'), bias: true } as Layer],
      [{ type: 'sum', activation: 'none', branches: [[conv('b2', 4, 'relu')], []] }],
      [{ type: 'depthwise', name: 'b3', size: 3, strides: 1, padding: 'same', norm: norm('b3'), activation: 'relu6' }],
    ],
  },
  { type: 'mean-pool' },
  { type: 'dense', name: 'embedding', units: 8 },
];
const blocks = () => networkModel('blocks', { dimension: 8 }, LAYERS);

const NETWORKS: [string, () => ModelSpec][] = [
  ['a network of all kinds of blocks', blocks],
  ['ResNet-18', () => resnet18({ dimension: 8 })],
  ['ResNet-50', () => resnet50({ dimension: 8 })],
  ['BN-Inception', () => bnInception({ dimension: 8 })],
  ['MobileNetV2', () => mobilenetV2({ dimension: 8 })],
];

const bytesOf = (tensor: tf.Tensor) => createHash('sha256').update(tensor.dataSync<'float32'>()).digest('hex');

/** Every gradient by the variables, the value, and the running statistics afterwards; and the most bytes that tensors took. */
async function stepOf(model: ModelSpec, mode: TrainingMode) {
  const network = model.build([32, 32, 3], 1);
  const images = tf.randomUniform<tf.Rank.R4>([4, 32, 32, 3], 0, 1, 'float32', 5);
  const before = tf.memory().numBytes;
  let bits: string[] = [];
  const { peakBytes } = await tf.profile(() => {
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.mul(network.apply(images, mode), tf.range(0, network.embedding))),
      network.variables(),
    );
    bits = [value, ...Object.values(grads), ...network.weights.values()].map(bytesOf);
    tf.dispose([value, grads]);
    return [];
  });
  expect(tf.memory().numBytes).toBe(before);
  network.dispose();
  images.dispose();
  return { bits, peakBytes };
}

it.each(fewOf(NETWORKS, 1))('%s comes to the same bits with less memory, and leaks nothing', async (_, make) => {
  await chooseBackend({ backend: QUICKER });
  const model = make();
  for (const mode of [true, 'batch'] as const) {
    const [kept, again] = [await stepOf(model, mode), await stepOf(model.recomputing!(), mode)];
    expect(again.bits).toEqual(kept.bits);
    expect(again.peakBytes).toBeLessThan(kept.peakBytes);
  }
});

it('a training has the same bits, heads, micro-batches and adversarial images and all', async () => {
  const data = tinyImages({ classes: 3, perClass: 4, size: 32, channels: 3 });
  const attack = { epsilon: 0.05, steps: 1 };
  const runs = [{ method: at({ attack }) }, { method: eatHeads({ attack, heads: 2 }) }, { microBatch: 4 }];
  for (const more of runs) {
    const losses = [];
    for (const recompute of [false, true]) {
      const model = blocks();
      const run = { ...more, data, model, recompute, epochs: 1, batch: { size: 6 }, backend: QUICKER };
      const ensemble = await train(run);
      losses.push([ensemble.history.losses, [...(await ensemble.embed(data)).data]]);
      ensemble.dispose();
    }
    expect(losses[1]).toEqual(losses[0]);
  }
});

it('a network without blocks is refused', async () => {
  await expect(train({ data: tinyImages(), model: convEmbedder(), recompute: true })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: 'Expected a network of blocks, such as resnet50, to recompute but received conv.',
  });
});
