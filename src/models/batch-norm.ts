import * as tf from '@tensorflow/tfjs';
import { batchNormTraining } from '../tfjs/index.js';

/** The state of one batch normalisation over the last axis, [channels] each. */
export interface BatchNorm {
  gamma: tf.Variable;
  beta: tf.Variable;
  runningMean: tf.Variable;
  runningVariance: tf.Variable;
  /** Share of the old running statistics that a step keeps. */
  momentum: number;
  epsilon: number;
}

/**
 * Batch normalisation with the statistics of `x` [n, h, w, c] itself, and ReLU; also moves the running statistics
 * (both with the biased variance).
 */
export function batchNorm(x: tf.Tensor4D, norm: BatchNorm): tf.Tensor4D {
  const { gamma, beta, runningMean, runningVariance, momentum, epsilon } = norm;
  const [scale, offset] = [gamma, beta] as tf.Tensor[] as tf.Tensor1D[];
  const { y, mean, variance } = batchNormTraining(x, scale, offset, { epsilon, activation: 'relu' });
  moveRunning(runningMean, mean, momentum);
  moveRunning(runningVariance, variance, momentum);
  return y;
}

function moveRunning(running: tf.Variable, batch: tf.Tensor, momentum: number): void {
  running.assign(tf.add(tf.mul(running, momentum), tf.mul(batch, 1 - momentum)));
}

/**
 * Batch normalisation with the running statistics, as the filter and bias that do the same inside the
 * convolution before it: w' = w s, b' = beta - mean s, s = gamma / sqrt(var + eps). One pass less per layer.
 */
export function foldBatchNorm(filter: tf.Tensor4D, norm: BatchNorm): { filter: tf.Tensor4D; bias: tf.Tensor1D } {
  const scale = tf.mul(norm.gamma, tf.rsqrt(tf.add(norm.runningVariance, norm.epsilon)));
  return { filter: tf.mul(filter, scale), bias: tf.sub(norm.beta, tf.mul(norm.runningMean, scale)) };
}
