import { z } from 'zod';
import * as tf from '#tf';
import { nonNegative, parseOptions } from '../options.js';
import { part } from '../part.js';
import type { PairLoss } from './metric-loss.js';
import { distances, meanOfPositive, pairsOf } from './pairs.js';

export const contrastiveOptions = z.strictObject({
  positiveMargin: nonNegative.default(0).describe('positives nearer than this cost nothing'),
  negativeMargin: nonNegative.default(1).describe('negatives farther than this cost nothing'),
});

/** Options of {@link contrastive}. */
export type ContrastiveOptions = z.input<typeof contrastiveOptions>;

/**
 * Contrastive loss (Hadsell et al., 2006) in its linear form over distances of unit rows: the mean of the values > 0 of
 * relu(d(a,p) - positiveMargin) plus that of relu(negativeMargin - d(a,n)).
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function contrastive(options: ContrastiveOptions = {}): PairLoss {
  const { positiveMargin, negativeMargin } = parseOptions(contrastiveOptions, options);
  const loss = (embeddings: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
    tf.tidy(() => {
      const { positive, negative } = pairsOf(embeddings, labels);
      const gaps = distances(embeddings);
      const apart = tf.mul(tf.relu(tf.sub(gaps, positiveMargin)), positive);
      const near = tf.mul(tf.relu(tf.sub(negativeMargin, gaps)), negative);
      return tf.add<tf.Scalar>(meanOfPositive(apart), meanOfPositive(near));
    });
  return Object.assign(loss, {
    config: { name: contrastivePart.name, positiveMargin, negativeMargin },
    overPairs: true as const,
  });
}

export const contrastivePart = part(
  'contrastive',
  'pairs with two margins (Hadsell et al., CVPR 2006)',
  contrastiveOptions,
  contrastive,
);
