import * as tf from '#tf';
import { invalid } from '../errors.js';
import { labelProblem } from '../labels.js';
import { unitRows, valuesOf } from '../tfjs/index.js';

/** Stands for minus infinity under a mask: exp of it is 0, and it has finite gradients. */
export const NEVER = -1e30;

/** The ordered pairs of a batch of n: 1 where they count, 0 elsewhere; [n, n]. A sample is no pair with itself. */
export interface Pairs {
  /** Of one class. */
  positive: tf.Tensor2D;
  /** Of two classes. */
  negative: tf.Tensor2D;
}

/** Throws unless a batch is embeddings [n, d] and labels [n]. */
export function checkBatch(embeddings: tf.Tensor2D, labels: tf.Tensor1D): void {
  const sound = (t: tf.Tensor) => t instanceof tf.Tensor && !t.isDisposed;
  if (!sound(embeddings) || embeddings.rank !== 2 || embeddings.size === 0 || embeddings.dtype !== 'float32') {
    throw invalid('embeddings', 'a float32 tensor [n, d], n >= 1', embeddings);
  }
  const n = embeddings.shape[0];
  if (!sound(labels) || labels.rank !== 1 || labels.shape[0] !== n) throw invalid('labels', `a tensor [${n}]`, labels);
}

/** Checks the shapes of a batch and tells its pairs apart; `labels` may be any integers. */
export function pairsOf(embeddings: tf.Tensor2D, labels: tf.Tensor1D): Pairs {
  checkBatch(embeddings, labels);
  const n = embeddings.shape[0];
  const classOf = valuesOf(labels);
  for (let i = 0; i < n; i++) {
    const expected = labelProblem(classOf, i);
    if (expected) throw invalid(`labels[${i}]`, expected, classOf[i]);
  }
  const [positive, negative] = [new Float32Array(n * n), new Float32Array(n * n)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      (classOf[i] === classOf[j] ? positive : negative)[i * n + j] = 1;
    }
  }
  return { positive: tf.tensor2d(positive, [n, n]), negative: tf.tensor2d(negative, [n, n]) };
}

/** Cosine similarities of all pairs, [n, n]. */
export function similarities(embeddings: tf.Tensor2D): tf.Tensor2D {
  const unit = unitRows(embeddings);
  return tf.matMul(unit, unit, false, true);
}

/**
 * Euclidean distances of the unit rows, [n, n], by direct difference: 2 - 2 cos would cancel for near pairs, whose
 * gradients are the largest. Gradient 0 at distance 0.
 */
export function distances(embeddings: tf.Tensor2D): tf.Tensor2D {
  const unit = unitRows(embeddings);
  const gaps = tf.sub(tf.expandDims(unit, 1), tf.expandDims(unit, 0));
  return tf.sqrt(tf.maximum(tf.sum<tf.Tensor2D>(tf.square(gaps), 2), 1e-14));
}

/** The mean of the values > 0, and 0 where there is none: easy pairs don't thin out the hard ones. */
export function meanOfPositive(values: tf.Tensor): tf.Scalar {
  return tf.div(tf.sum(values), tf.maximum(tf.sum(tf.step(values)), 1));
}

/** log Σ_j e^z over the columns where `mask` is 1, [n, 1]; about -1e30 where there is none. */
export function logSumExpWhere(z: tf.Tensor2D, mask: tf.Tensor2D): tf.Tensor2D {
  return tf.logSumExp(tf.where(tf.cast(mask, 'bool'), z, tf.fill(z.shape, NEVER)), 1, true) as tf.Tensor2D;
}
