import * as tf from '#tf';
import type { RandomStream } from '../random.js';

/** Rows of a batch: each sample as anchor, one of its class and one of another. */
export interface Triplets {
  anchors: Int32Array;
  positives: Int32Array;
  negatives: Int32Array;
}

/**
 * One random triplet for every row that has a sample of another class beside it. A row without another of its own class
 * is its own positive: its attacked self then stands for it.
 */
export function randomTriplets(rows: Int32Array, labels: Int32Array, random: RandomStream): Triplets {
  const others = (row: number, same: boolean) =>
    rows.filter((other) => other !== row && (labels[other] === labels[row]) === same);
  const pick = (list: Int32Array) => list[random.integer(list.length)];
  const anchors = rows.filter((row) => others(row, false).length > 0);
  return {
    anchors,
    positives: anchors.map((row) => {
      const same = others(row, true);
      return same.length > 0 ? pick(same) : row;
    }),
    negatives: anchors.map((row) => pick(others(row, false))),
  };
}

/** Euclidean distance of each row of `a` to the same row of `b`, [n]. */
export function rowDistances(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  return tf.sqrt(tf.maximum(tf.sum(tf.squaredDifference(a, b), 1), 1e-12));
}

/** mean relu(d(a,p) - d(a,n) + margin). */
export function tripletLoss(a: tf.Tensor2D, p: tf.Tensor2D, n: tf.Tensor2D, margin: number): tf.Scalar {
  return tf.mean(tf.relu(tf.add(tf.sub(rowDistances(a, p), rowDistances(a, n)), margin)));
}
