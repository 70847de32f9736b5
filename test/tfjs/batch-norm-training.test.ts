import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { batchNormTraining, chooseBackend } from '../../src/tfjs/index.js';
import { backends } from './backends.js';
import { difference, noise, on } from './close.js';

const EPSILON = 1e-3;

describe.each(backends)('batchNormTraining on %s', (name) => {
  test.each([
    [[6, 5], 'none'],
    [[4, 3, 5, 17], 'none'],
    [[4, 3, 5, 17], 'relu'],
    [[50, 64], 'relu'],
    [[5, 6, 33], 'relu6'],
  ] as const)('%j, %s: value and gradients are those of the parts', async (shape, activation) => {
    await chooseBackend({ backend: name });
    const channels = shape.at(-1)!;
    const axes = shape.slice(1).map((_, axis) => axis);
    const inputs = () => [
      tf.tensor(noise([...shape], 'x'), [...shape]),
      tf.tensor1d(noise([channels], 'scale')),
      tf.tensor1d(noise([channels], 'offset')),
    ];
    const weigh = (y: tf.Tensor) => tf.sum(tf.mul(y, tf.tensor(noise([...shape], 'dy'), [...shape])));
    const fused = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) =>
      batchNormTraining(x, scale as tf.Tensor1D, offset as tf.Tensor1D, { epsilon: EPSILON, activation }).y;
    const parts = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, axes);
      const normalised = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON)));
      const y = tf.add(tf.mul(normalised, scale), offset);
      if (activation === 'relu6') return tf.relu6(y);
      return activation === 'relu' ? tf.relu(y) : y;
    };
    const run = (op: typeof fused) => () => {
      const values = inputs();
      const gradients = tf.grads((...t) => weigh(op(t[0], t[1], t[2])))(values);
      return [op(values[0], values[1], values[2]), ...gradients];
    };
    const [expected, received] = [await on(name, run(parts)), await on(name, run(fused))];
    received.forEach(({ values }, i) => {
      expect(difference(values, expected[i].values), ['y', 'dx', 'dScale', 'dOffset'][i]).toBeLessThanOrEqual(1e-4);
    });
  });

  test('the statistics are those of the batch', async () => {
    await chooseBackend({ backend: name });
    const statistics = await on(name, () => {
      const x = tf.tensor4d([1, 10, 3, 10, 1, 10, 3, 14], [2, 2, 1, 2]);
      const { mean, variance } = batchNormTraining(x, tf.tensor1d([1, 1]), tf.tensor1d([0, 0]), { epsilon: EPSILON });
      return [mean, variance];
    });
    expect(statistics.map(({ values }) => values)).toEqual([
      [2, 11],
      [1, 3],
    ]);
  });
});
