import { z } from 'zod';
import * as tf from '#tf';
import { nonNegative, parseOptions } from '../options.js';
import { part } from '../part.js';
import { constant } from '../tfjs/index.js';
import type { PairLoss } from './metric-loss.js';
import { distances, meanOfPositive, NEVER, type Pairs, pairsOf } from './pairs.js';

const tripletMining = z.enum(['all', 'semi-hard', 'distance-weighted']);

/** Which triplets of a batch count. */
export type TripletMining = z.infer<typeof tripletMining>;

/**
 * `semi-hard` is Schroff et al.'s (2015), `distance-weighted` Wu et al.'s (2017), which draws one negative in its source; here
 * the loss is the expectation over that draw, so that it is a function of its arguments.
 */
export const tripletMarginOptions = z.strictObject({
  margin: nonNegative.default(0.2).describe('by which negatives are to be farther than positives'),
  mining: tripletMining
    .default('all')
    .describe(
      'the triplets that count: all; semi-hard: negatives farther than the positive, but by less than the margin; ' +
        'distance-weighted: negatives weighted by the inverse density of distances on the sphere',
    ),
});

/** Options of {@link tripletMargin}. */
export type TripletMarginOptions = z.input<typeof tripletMarginOptions>;

/** Wu et al.: nearer negatives weigh no more than those at 0.5, and those beyond 1.4 nothing. */
const NEAREST = 0.5;
const FARTHEST = 1.4;

/**
 * Triplet margin loss over distances of unit rows: the mean of the values > 0 of
 * relu(|a - p| - |a - n| + margin) over the triplets of the batch.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function tripletMargin(options: TripletMarginOptions = {}): PairLoss {
  const { margin, mining } = parseOptions(tripletMarginOptions, options);
  const loss = (embeddings: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
    tf.tidy(() => {
      const pairs = pairsOf(embeddings, labels);
      const gaps = distances(embeddings);
      const values = tripletValues(gaps, pairs, margin);
      if (mining === 'all') return meanOfPositive(values);
      if (mining === 'semi-hard') return meanOfPositive(tf.mul(values, semiHard(gaps, margin)));
      const weights = negativeWeights(gaps, pairs, embeddings.shape[1]);
      return meanOfPositive(tf.sum(tf.mul(values, tf.expandDims(weights, 1)), 2));
    });
  return Object.assign(loss, { config: { name: tripletMarginPart.name, margin, mining }, overPairs: true as const });
}

export const tripletMarginPart = part(
  'triplet-margin',
  'triplets (Schroff et al., CVPR 2015; Wu et al., ICCV 2017)',
  tripletMarginOptions,
  tripletMargin,
);

/** relu(d(a,p) - d(a,n) + margin) at [a, p, n], 0 where that is no triplet. */
function tripletValues(gaps: tf.Tensor2D, { positive, negative }: Pairs, margin: number): tf.Tensor3D {
  const raw = tf.relu(tf.add(tf.sub(tf.expandDims(gaps, 2), tf.expandDims(gaps, 1)), margin));
  return tf.mul(raw, tf.mul(tf.expandDims(positive, 2), tf.expandDims(negative, 1)));
}

/** 1 where d(a,p) < d(a,n) at [a, p, n]; beyond the margin the value is 0 anyway. */
function semiHard(gaps: tf.Tensor2D, margin: number): tf.Tensor3D {
  const slack = tf.sub<tf.Tensor3D>(tf.expandDims(gaps, 1), tf.expandDims(gaps, 2));
  return tf.mul(tf.step(slack), tf.step(tf.sub(margin, slack)));
}

/**
 * Row a: the probability that n is drawn as its negative, proportional to 1 / q(d) with
 * log q(d) = (dim - 2) log d + (dim - 3)/2 log(1 - d²/4); a constant under the gradient.
 */
function negativeWeights(gaps: tf.Tensor2D, { negative }: Pairs, dim: number): tf.Tensor2D {
  const d = tf.clipByValue(constant(gaps), NEAREST, 1.999);
  const logDensity = tf.add(
    tf.mul(tf.log(d), dim - 2),
    tf.mul(tf.log(tf.sub(1, tf.div(tf.square(d), 4))), (dim - 3) / 2),
  );
  const usable = tf.mul<tf.Tensor2D>(negative, tf.step(tf.sub(FARTHEST, d)));
  const logits = tf.where(tf.cast(usable, 'bool'), tf.neg(logDensity), tf.fill(gaps.shape, NEVER));
  return tf.mul(tf.softmax(logits as tf.Tensor2D), usable);
}
