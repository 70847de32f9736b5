import * as tf from '#tf';
import { batchNormTraining, movingAverage } from '../tfjs/index.js';
import type { Activation, Norm } from './layers.js';

/** The state of one batch normalisation over the last axis, [channels] each. */
export interface BatchNorm {
  gamma: tf.Variable;
  beta: tf.Variable;
  runningMean: tf.Variable;
  runningVariance: tf.Variable;
  /** Share of the old running statistics that a step keeps. */
  momentum: number;
  epsilon: number;
  unbiased: boolean;
}

/** The state of `norm` among a network's variables. */
export function batchNormOf(norm: Norm, weights: ReadonlyMap<string, tf.Variable>): BatchNorm {
  const { name, momentum, epsilon, unbiased = false } = norm;
  const [gamma, beta, runningMean, runningVariance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(
    (end) => weights.get(`${name}/${end}`)!,
  );
  return { gamma, beta, runningMean, runningVariance, momentum, epsilon, unbiased };
}

/**
 * Batch normalisation with the statistics of `x` [n, h, w, c] itself (its biased variance), and the activation; also moves the
 * running statistics, unless told not to.
 */
export function batchNorm(x: tf.Tensor4D, norm: BatchNorm, activation: Activation, moving = true): tf.Tensor4D {
  const { gamma, beta, epsilon } = norm;
  const [scale, offset] = [gamma, beta] as tf.Tensor[] as tf.Tensor1D[];
  const { y, mean, variance, samples } = batchNormTraining(x, scale, offset, { epsilon, activation });
  if (moving) moveBoth(norm, mean, variance, samples);
  return y;
}

function moveBoth(norm: BatchNorm, mean: tf.Tensor, variance: tf.Tensor, samples: number): void {
  const { runningMean, runningVariance, momentum, unbiased } = norm;
  // PyTorch refuses a single sample there; its variance is 0 in either form.
  const scale = unbiased && samples > 1 ? samples / (samples - 1) : 1;
  runningMean.assign(movingAverage(runningMean, mean, { momentum, scale: 1 }));
  runningVariance.assign(movingAverage(runningVariance, variance, { momentum, scale }));
}

/** A convolution's filter [h, w, in, out], or [h, w, c, 1] of a depthwise one, and its bias. */
export interface Weights {
  filter: tf.Tensor4D;
  bias: tf.Tensor1D;
}

/**
 * Batch normalisation with the running statistics, as the filter and bias that do the same inside the convolution before it:
 * w' = w s, b' = beta - (mean - b) s, s = gamma / sqrt(var + eps). One pass less per layer.
 */
export function foldBatchNorm(filter: tf.Tensor4D, bias: tf.Tensor | undefined, norm: BatchNorm): Weights {
  const scale = tf.mul(norm.gamma, tf.rsqrt(tf.add(norm.runningVariance, norm.epsilon)));
  const mean = bias ? tf.sub(norm.runningMean, bias) : norm.runningMean;
  const perChannel = filter.shape[3] === scale.size ? scale : tf.reshape(scale, [-1, 1]);
  return { filter: tf.mul(filter, perChannel), bias: tf.sub(norm.beta, tf.mul(mean, scale)) };
}
