import * as tf from '@tensorflow/tfjs';
import { inWordsOf } from '../errors.js';
import { type AttackStepTensorOptions, attackStepTensor } from '../tfjs/index.js';
import type { AttackNorm } from './norm.js';
import type { CommonSettings } from './rules/common.js';

/** Pixels lie here. */
const BOX: [number, number] = [0, 1];

/** Share of the pixels that an l1 step moves (sparse l1 ascent: Tramèr and Boneh, 2019). */
const SPARSE = 0.05;

type Ball = Pick<CommonSettings, 'norm' | 'epsilon'>;

/** One step of length `stepSize` along `gradient`, projected onto ball and box by the kernel. */
export function stepInBall(
  images: tf.Tensor4D,
  current: tf.Tensor4D,
  gradient: tf.Tensor4D,
  { norm, epsilon }: Ball,
  stepSize: number,
): tf.Tensor4D {
  // The kernel steps along g / |g|_1 for l1, so a sparse sign vector becomes equal shares of the step.
  const along = norm === 'l1' ? largestSigns(gradient) : gradient;
  return step({ origin: images, current, gradient: along, norm, epsilon, stepSize });
}

/** `points` moved to the nearest of ball and box around `images`; `name` is what errors call them. */
export function intoBall(
  images: tf.Tensor4D,
  points: tf.Tensor4D,
  { norm, epsilon }: Ball,
  name?: string,
): tf.Tensor4D {
  return step({ origin: images, current: points, gradient: tf.zerosLike(points), norm, epsilon, stepSize: 0 }, name);
}

/** The kernel's step in the box, its errors in the words of an attack. */
function step(
  options: Omit<AttackStepTensorOptions<tf.Tensor4D>, 'box'>,
  current = 'the attacked images',
): tf.Tensor4D {
  try {
    return attackStepTensor({ ...options, box: BOX });
  } catch (error) {
    const names = { origin: 'images', current, gradient: 'the gradient by images', 'the box': '[0, 1]' };
    throw inWordsOf(error, names);
  }
}

/** The steepest direction of length 1 in the norm, per sample: sign(g), g / |g|, or equal shares of the largest. */
export function steepest(gradient: tf.Tensor4D, norm: AttackNorm): tf.Tensor4D {
  if (norm === 'linf') return tf.sign(gradient);
  if (norm === 'l2') {
    const length = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3], true));
    return tf.div(gradient, tf.maximum(length, 1e-30));
  }
  const signs = largestSigns(gradient);
  return tf.div(signs, tf.maximum(tf.sum(tf.abs(signs), [1, 2, 3], true), 1));
}

/** The signs of the largest 5% of each sample's gradient (at least one), 0 elsewhere. */
function largestSigns(gradient: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = gradient.shape;
  const flat = tf.reshape(tf.abs(gradient), [n, h * w * c]);
  const kept = Math.max(1, Math.round(SPARSE * h * w * c));
  const least = tf.slice(tf.topk(flat, kept).values, [0, kept - 1], [n, 1]);
  const chosen = tf.cast(tf.greaterEqual(flat, least), 'float32');
  return tf.mul(tf.sign(gradient), tf.reshape(chosen, gradient.shape));
}
