import * as tf from '#tf';
import type { Metric } from '../../kernels/index.js';

/** Differences that are in memory at a time. */
const CHUNK = 1 << 22;

/**
 * Distances of a [n, d] and b [m, d], or of batches of them, by tensor operations in float32: for backends whose values cannot be read at
 * once. Squares of differences, so that nothing cancels; some rows of `a` at a time.
 */
export function distancesByOperations(a: tf.Tensor, b: tf.Tensor, metric: Metric): tf.Tensor {
  return tf.tidy(() => {
    if (metric === 'dot') return tf.matMul(a, b, false, true);
    if (metric === 'cosine') return cosine(a, b);
    const squares = squaredDistances(a, b);
    return metric === 'euclidean' ? tf.sqrt(squares) : squares;
  });
}

/** Half the squared distance of unit rows; a zero row is at distance 1 of all. */
function cosine(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const [x, y] = [unit(a), unit(b)];
  const defined = tf.matMul(tf.sign(x.inverse), tf.sign(y.inverse), false, true);
  const halves = tf.mul(0.5, squaredDistances(x.rows, y.rows));
  return tf.where(tf.greater(defined, 0), halves, tf.onesLike(halves));
}

function squaredDistances(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (a.rank === 3) {
    const others = tf.unstack(b);
    return tf.stack(tf.unstack(a).map((each, i) => squaredDistances(each, others[i])));
  }
  const rows = Math.max(1, Math.floor(CHUNK / b.size));
  const parts: tf.Tensor[] = [];
  for (let from = 0; from < a.shape[0]; from += rows) {
    const some = tf.slice(a, [from, 0], [Math.min(rows, a.shape[0] - from), -1]);
    parts.push(tf.sum(tf.square(tf.sub(tf.expandDims(some, 1), tf.expandDims(b, 0))), 2));
  }
  return tf.concat(parts, 0);
}

/** Label (the lowest of equals), squared distance to the nearest and to the second nearest of each point. */
export function nearestByOperations(points: tf.Tensor2D, centroids: tf.Tensor2D): tf.Tensor[] {
  return tf.tidy(() => {
    const [n, k] = [points.shape[0], centroids.shape[0]];
    const distances = squaredDistances(points, centroids);
    const nearest = tf.min(distances, 1);
    const columns = tf.tile(tf.reshape(tf.range(0, k), [1, k]), [n, 1]);
    const isNearest = tf.equal(distances, tf.expandDims(nearest, 1));
    const labels = tf.min(tf.where(isNearest, columns, tf.fill([n, k], k)), 1);
    const others = tf.where(tf.equal(columns, tf.expandDims(labels, 1)), tf.fill([n, k], Infinity), distances);
    return [tf.cast(labels, 'int32'), nearest, tf.min(others, 1)];
  });
}

export interface UnitRows {
  rows: tf.Tensor;
  /** 1/|x|, 0 for a zero row. */
  inverse: tf.Tensor;
}

export function unit(x: tf.Tensor): UnitRows {
  const squares = tf.sum(tf.square(x), -1, true);
  const inverse = tf.where(tf.greater(squares, 0), tf.rsqrt(tf.maximum(squares, 1e-38)), tf.zerosLike(squares));
  return { rows: tf.mul(x, inverse), inverse };
}
