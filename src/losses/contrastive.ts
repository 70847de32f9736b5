import * as tf from '@tensorflow/tfjs';
import type { PairLoss } from './metric-loss.js';
import { checkFinite, distances, meanOfPositive, pairsOf } from './pairs.js';

export interface ContrastiveOptions {
  /** Positives nearer than this cost nothing (default 0). */
  positiveMargin?: number;
  /** Negatives farther than this cost nothing (default 1). */
  negativeMargin?: number;
}

/**
 * Contrastive loss (Hadsell et al., 2006) in its linear form over distances of unit rows: the mean of the values > 0 of
 * relu(d(a,p) - positiveMargin) plus that of relu(negativeMargin - d(a,n)).
 */
export function contrastive(options: ContrastiveOptions = {}): PairLoss {
  const { positiveMargin = 0, negativeMargin = 1 } = options;
  checkFinite('positiveMargin', positiveMargin, 0);
  checkFinite('negativeMargin', negativeMargin, 0);
  const loss = (embeddings: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
    tf.tidy(() => {
      const { positive, negative } = pairsOf(embeddings, labels);
      const gaps = distances(embeddings);
      const apart = tf.mul(tf.relu(tf.sub(gaps, positiveMargin)), positive);
      const near = tf.mul(tf.relu(tf.sub(negativeMargin, gaps)), negative);
      return tf.add<tf.Scalar>(meanOfPositive(apart), meanOfPositive(near));
    });
  return Object.assign(loss, {
    config: { name: 'contrastive', positiveMargin, negativeMargin },
    overPairs: true as const,
  });
}
