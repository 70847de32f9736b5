import { z } from 'zod';
import * as tf from '#tf';
import { nonNegative, parseOptions, positive } from '../options.js';
import { part } from '../part.js';
import { constant } from '../tfjs/index.js';
import type { PairLoss } from './metric-loss.js';
import { logSumExpWhere, NEVER, type Pairs, pairsOf, similarities } from './pairs.js';

export const multiSimilarityOptions = z.strictObject({
  alpha: positive.default(2).describe('sharpness on positives'),
  beta: positive.default(50).describe('sharpness on negatives'),
  base: z.number().default(0.5).describe('similarity that divides both sides'),
  mining: nonNegative
    .optional()
    .describe(
      'keep only negatives more similar than the least similar positive less this, and positives less similar than ' +
        'the most similar negative plus this (the paper’s 0.1); all pairs when absent',
    ),
});

/** Options of {@link multiSimilarity}. */
export type MultiSimilarityOptions = z.input<typeof multiSimilarityOptions>;

/**
 * Multi-Similarity loss (Wang et al., CVPR 2019), s the cosine similarity; the mean over anchors of
 * (1/alpha) log(1 + Σ_p e^{-alpha (s(a,p) - base)}) + (1/beta) log(1 + Σ_n e^{beta (s(a,n) - base)}).
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import * as tf from 'eat-dml/tf';
 * import { multiSimilarity } from 'eat-dml';
 *
 * const loss = multiSimilarity({ alpha: 2, beta: 50, base: 0.5 });
 * console.log(loss(tf.randomNormal([4, 8]), tf.tensor1d([0, 0, 1, 1], 'int32')).arraySync());
 * ```
 */
export function multiSimilarity(options: MultiSimilarityOptions = {}): PairLoss {
  const { alpha, beta, base, mining } = parseOptions(multiSimilarityOptions, options);
  const loss = (embeddings: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
    tf.tidy(() => {
      const all = pairsOf(embeddings, labels);
      const s = similarities(embeddings);
      const { positive, negative } = mining === undefined ? all : informative(constant(s), all, mining);
      const fromBase = tf.sub<tf.Tensor2D>(s, base);
      // log(1 + Σ e^z) = softplus(log Σ e^z)
      const pull = tf.div(tf.softplus(logSumExpWhere(tf.mul(fromBase, -alpha), positive)), alpha);
      const push = tf.div(tf.softplus(logSumExpWhere(tf.mul(fromBase, beta), negative)), beta);
      return tf.mean<tf.Scalar>(tf.add(pull, push));
    });
  const config = { name: multiSimilarityPart.name, alpha, beta, base, ...(mining !== undefined && { mining }) };
  return Object.assign(loss, { config, overPairs: true as const });
}

export const multiSimilarityPart = part(
  'multi-similarity',
  'Multi-Similarity (Wang et al., CVPR 2019)',
  multiSimilarityOptions,
  multiSimilarity,
);

/** The paper's pair mining; an anchor without positives keeps no negatives, and the other way round. */
function informative(s: tf.Tensor2D, { positive, negative }: Pairs, slack: number): Pairs {
  const far = tf.fill(s.shape, -NEVER);
  const leastPositive = tf.min(tf.where(tf.cast(positive, 'bool'), s, far), 1, true);
  const mostNegative = tf.max(tf.where(tf.cast(negative, 'bool'), s, tf.neg(far)), 1, true);
  return {
    positive: tf.mul(positive, tf.step(tf.sub(tf.add(mostNegative, slack), s))),
    negative: tf.mul(negative, tf.step(tf.add(tf.sub(s, leastPositive), slack))),
  };
}
