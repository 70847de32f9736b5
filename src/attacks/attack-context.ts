import type * as tf from '#tf';
import { checkLabels } from '../checks.js';
import { inWordsOf } from '../errors.js';
import { centroidMeans, type Matrix } from '../kernels/index.js';
import { checkMatrix } from '../kernels/matrix.js';
import { fromMatrix } from '../tfjs/index.js';

/** What objectives need to know of the whole attacked set. */
export interface AttackContext {
  /** Class of each sample as a row of `centroids`. */
  labels: Int32Array;
  /** Mean clean embedding of each class, [classes, d]; the caller disposes it. */
  centroids: tf.Tensor2D;
}

/** Class centroids of clean `embeddings` [n, d] whose samples have these `labels` (any integers, n of them). */
export async function attackContext(embeddings: Matrix, labels: ArrayLike<number>): Promise<AttackContext> {
  const { labels: rows, means } = await classMeans(embeddings, labels);
  return { labels: rows, centroids: fromMatrix(means) };
}

/** The mean embedding of each class [classes, d], classes ascending, and the class of each sample as a row of them. */
export async function classMeans(embeddings: Matrix, labels: ArrayLike<number>) {
  checkMatrix('embeddings', embeddings);
  checkLabels('labels', labels, embeddings.rows);
  const classes = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  const rowOf = new Map(classes.map((label, row) => [label, row]));
  const rows = Int32Array.from(labels, (label) => rowOf.get(label)!);
  const { means } = await centroidMeans(embeddings, rows, { k: classes.length }).catch((error) => {
    throw inWordsOf(error, { points: 'embeddings' });
  });
  return { labels: rows, means };
}
