import * as tf from '#tf';
import { constant } from '../constant.js';
import { readsAtOnce } from '../reading/readings.js';

/** A product may be this many times as large as the differences that it stands for: five bits of 24 are lost to it at most. */
const LARGEST_RATIO = 32;

/** Differences that are in memory at a time. */
const CHUNK = 1 << 22;

/**
 * Σ_j w_ij (a_i - b_j), [..., n, d], of w [..., n, m], a [..., n, d], b [..., m, d]. As a product it is
 * (Σ_j w_ij) a_i - Σ_j w_ij b_j, whose terms cancel where points are near each other and far from 0. So both are seen from
 * their common mean, and a row is taken by its differences where the terms are still much larger than these, as within one
 * of several clusters. `distances` [..., n, m] are |a_i - b_j|.
 */
export function weightedDifferences(w: tf.Tensor, a: tf.Tensor, b: tf.Tensor, distances: tf.Tensor): tf.Tensor {
  const origin = constant(tf.div(tf.add(tf.mean(a, -2, true), tf.mean(b, -2, true)), 2));
  const [x, y] = [tf.sub(a, origin), tf.sub(b, origin)];
  const product = tf.sub(tf.mul(tf.sum(w, -1, true), x), tf.matMul(w, y));
  // Where it cannot be known without waiting, all are taken so.
  const cancelled = readsAtOnce()
    ? rowsThatCancel(w, x, y, distances)
    : new Uint8Array(w.size / w.shape.at(-1)!).fill(1);
  return cancelled.includes(1) ? mixed(product, cancelled, w, a, b) : product;
}

/** 1 for each row (through all batches) whose terms are too large for what they add up to. */
function rowsThatCancel(w: tf.Tensor, x: tf.Tensor, y: tf.Tensor, distances: tf.Tensor): Uint8Array {
  const rows = tf.tidy(() => {
    const sizes = tf.abs(w);
    const terms = tf.add(
      tf.mul(tf.sum(sizes, -1, true), tf.norm(x, 2, -1, true)),
      tf.matMul(sizes, tf.norm(y, 2, -1, true)),
    );
    const differences = tf.sum(tf.mul(sizes, distances), -1, true);
    return tf.greater(terms, tf.mul(differences, LARGEST_RATIO)).dataSync() as never;
  }) as Uint8Array;
  return Uint8Array.from(rows);
}

/** `product`, but by differences in the chunks of rows where any cancelled. */
function mixed(product: tf.Tensor, cancelled: Uint8Array, w: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const [n, d] = a.shape.slice(-2);
  const m = b.shape.at(-2)!;
  const batch = a.size / (n * d);
  const [products, weights, from, to] = [
    tf.reshape(product, [batch * n, d]),
    tf.reshape(w, [batch * n, m]),
    tf.reshape(a, [batch * n, d]),
    tf.reshape(b, [batch * m, d]),
  ];
  const length = Math.max(1, Math.floor(CHUNK / (m * d)));
  const parts: tf.Tensor[] = [];
  for (let start = 0; start < batch * n; ) {
    // Never past the end of a batch: its rows have one set of points before them.
    const end = Math.min(start + length, n * (Math.floor(start / n) + 1));
    const rows = (t: tf.Tensor) => tf.slice(t, [start, 0], [end - start, -1]);
    const points = () => tf.slice(to, [Math.floor(start / n) * m, 0], [m, -1]);
    const differs = cancelled.subarray(start, end).includes(1);
    parts.push(differs ? byDifferences(rows(weights), rows(from), points()) : rows(products));
    start = end;
  }
  return tf.reshape(tf.concat(parts, 0), a.shape);
}

function byDifferences(w: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const differences = tf.sub(tf.expandDims(a, 1), tf.expandDims(b, 0));
  return tf.sum(tf.mul(tf.expandDims(w, 2), differences), 1);
}
