import * as tf from '#tf';
import { inWordsOf } from '../errors.js';
import { type AttackStepTensorOptions, attackStepTensor, inWords } from '../tfjs/index.js';
import type { AttackNorm } from './norm.js';
import type { CommonSettings } from './rules/common.js';

/** Pixels lie here. */
const BOX: [number, number] = [0, 1];

/** Share of the pixels that an l1 step moves (sparse l1 ascent: Tramèr and Boneh, 2019). */
const SPARSE = 0.05;

type Ball = Pick<CommonSettings, 'norm' | 'epsilon'>;

/**
 * One step of length `stepSize` along `gradient`, projected onto ball and box by the kernel. In l1 pixels that the box holds
 * are left out, as a step along them would be lost.
 */
export function stepInBall(
  images: tf.Tensor4D,
  current: tf.Tensor4D,
  gradient: tf.Tensor4D,
  { norm, epsilon }: Ball,
  stepSize: number,
): tf.Tensor4D {
  // The kernel steps along g / |g|_1 for l1, so a sparse sign vector becomes equal shares of the step.
  const along = norm === 'l1' ? sparseStep(gradient, current) : gradient;
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
  const names = { origin: 'images', current, gradient: 'the gradient by images', 'the box': '[0, 1]' };
  return inWords(
    (error) => inWordsOf(error, names),
    () => attackStepTensor({ ...options, box: BOX }),
  );
}

/** The steepest direction of length 1 in the norm, per sample: sign(g) or g / |g|. */
export function steepest(gradient: tf.Tensor4D, norm: Exclude<AttackNorm, 'l1'>): tf.Tensor4D {
  if (norm === 'linf') return tf.sign(gradient);
  const length = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3], true));
  return tf.div(gradient, tf.maximum(length, 1e-30));
}

/** The signs of the largest 5% of each sample's gradient (at least one) that do not lead out of the box. */
function sparseStep(gradient: tf.Tensor4D, current: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = gradient.shape;
  const [low, high] = BOX;
  const up = tf.logicalAnd(tf.greater(gradient, 0), tf.less(current, high));
  const down = tf.logicalAnd(tf.less(gradient, 0), tf.greater(current, low));
  const free = tf.where(tf.logicalOr(up, down), gradient, tf.zerosLike(gradient)) as tf.Tensor4D;
  return largestSigns(free, new Array(n).fill(Math.max(1, Math.round(SPARSE * h * w * c))));
}

/** The signs of each sample's `counts` largest gradient values and of those as large, 0 elsewhere. */
export function largestSigns(gradient: tf.Tensor4D, counts: number[]): tf.Tensor4D {
  const [n, h, w, c] = gradient.shape;
  const flat = tf.reshape(tf.abs(gradient), [n, h * w * c]);
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const places = tf.tensor2d(
    counts.map((count) => count - 1),
    [n, 1],
  );
  const last = tf.cast(tf.equal(tf.expandDims(tf.range(0, most), 0), places), 'float32');
  const least = tf.sum(tf.mul(tf.topk(flat, most).values, last), 1, true);
  const chosen = tf.cast(tf.greaterEqual(flat, least), 'float32');
  return tf.mul(tf.sign(gradient), tf.reshape(chosen, gradient.shape));
}
