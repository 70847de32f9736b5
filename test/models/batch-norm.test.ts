import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { type BatchNorm, batchNorm, foldBatchNorm } from '../../src/models/batch-norm.js';

const normOf = (): BatchNorm => ({
  gamma: tf.variable(tf.tensor1d([2])),
  beta: tf.variable(tf.tensor1d([0.5])),
  runningMean: tf.variable(tf.tensor1d([3])),
  runningVariance: tf.variable(tf.tensor1d([0.0001])),
  ...{ momentum: 0.9, epsilon: 0.0003, unbiased: false },
});
const valuesOf = (t: tf.Tensor) => Array.from(t.dataSync());

beforeAll(() => tf.setBackend('cpu'));

it('folds the running statistics into filter and bias: gamma / sqrt(var + eps), beta - mean of it', () => {
  const { filter, bias } = foldBatchNorm(tf.tensor4d([1, -0.25], [1, 2, 1, 1]), undefined, normOf());
  // 2 / sqrt(0.0001 + 0.0003) = 100.
  expect(valuesOf(filter).map((value) => value.toFixed(2))).toEqual(['100.00', '-25.00']);
  expect(valuesOf(bias)[0]).toBeCloseTo(0.5 - 3 * 100, 2);
});

it('trains with the batch’s own statistics and moves the running ones a tenth of the way', () => {
  const norm = normOf();
  // Mean 0.02, biased variance 0.0001: (x - 0.02) / 0.02 · 2 + 0.5, cut at 0.
  const y = batchNorm(tf.tensor4d([0.01, 0.03], [1, 2, 1, 1]), norm, 'relu');
  expect(valuesOf(y)[0]).toBe(0);
  expect(valuesOf(y)[1]).toBeCloseTo(1.5, 4);
  expect(valuesOf(norm.runningMean)[0]).toBeCloseTo(0.9 * 3 + 0.1 * 0.02, 6);
  expect(valuesOf(norm.runningVariance)[0]).toBeCloseTo(0.0001, 8);
});
