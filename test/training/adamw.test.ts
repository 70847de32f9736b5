import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { AdamW } from '../../src/training/adamw.js';

/** One parameter under AdamW with the formulas as published, in double precision. */
function reference(gradients: number[], learningRate: number, weightDecay: number, start: number): number {
  let [w, m, v] = [start, 0, 0];
  gradients.forEach((g, i) => {
    const t = i + 1;
    w -= learningRate * weightDecay * w;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= (learningRate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
  });
  return w;
}

it('follows the published update, each group at its own rate, and leaves a group without gradient alone', async () => {
  await tf.setBackend('cpu');
  const [a, c] = [tf.variable(tf.tensor1d([1, -2])), tf.variable(tf.tensor2d([[0.5], [4]]))];
  const [b, idle] = [tf.variable(tf.scalar(3)), tf.variable(tf.scalar(5))];
  const before = tf.memory().numTensors;
  const optimizer = new AdamW([
    { variables: [a, c], learningRate: 0.01, weightDecay: 0.1 },
    { variables: [b], learningRate: 1, weightDecay: 0.5 },
    { variables: [idle], learningRate: 1, weightDecay: 0.5 },
  ]);
  const gradients = [0.3, -1, 2e-4, 5, 0];
  for (const g of gradients) {
    tf.tidy(() =>
      optimizer.update({
        [a.name]: tf.tensor1d([g, -2 * g]),
        [b.name]: tf.scalar(g),
        [c.name]: tf.tensor2d([[g], [-g]]),
      }),
    );
  }
  const [a0, a1] = a.dataSync();
  expect(a0).toBeCloseTo(reference(gradients, 0.01, 0.1, 1), 5);
  expect(a1).toBeCloseTo(
    reference(
      gradients.map((g) => -2 * g),
      0.01,
      0.1,
      -2,
    ),
    5,
  );
  const [c0, c1] = c.dataSync();
  expect(c0).toBeCloseTo(reference(gradients, 0.01, 0.1, 0.5), 5);
  expect(c1).toBeCloseTo(
    reference(
      gradients.map((g) => -g),
      0.01,
      0.1,
      4,
    ),
    5,
  );
  expect(b.dataSync()[0]).toBeCloseTo(reference(gradients, 1, 0.5, 3), 4);
  expect(idle.dataSync()[0]).toBe(5);
  expect(optimizer.steps).toBe(5);
  expect(tf.memory().numTensors).toBe(before + 6);
  optimizer.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

it('eps stands beside the corrected root: a gradient as small as it moves a weight by half the rate', async () => {
  await tf.setBackend('cpu');
  const w = tf.variable(tf.tensor1d([0]));
  const optimizer = new AdamW([{ variables: [w], learningRate: 1, weightDecay: 0 }]);
  tf.tidy(() => optimizer.update({ [w.name]: tf.tensor1d([1e-8]) }));
  expect(w.dataSync()[0]).toBeCloseTo(-0.5, 4);
  optimizer.dispose();
});
