import { z } from 'zod';
import * as tf from '#tf';
import { parseOptions, positive } from '../options.js';
import { part } from '../part.js';
import type { PairLoss } from './metric-loss.js';
import { logSumExpWhere, pairsOf, similarities } from './pairs.js';

export const ntXentOptions = z.strictObject({
  temperature: positive.default(0.07).describe('by which similarities are divided'),
});

/** Options of {@link ntXent}. */
export type NtXentOptions = z.input<typeof ntXentOptions>;

/**
 * NT-Xent, the N-pair loss (Sohn, 2016) with temperature t over cosine similarities s: the mean over positive pairs of
 * -log(e^{s(a,p)/t} / (e^{s(a,p)/t} + Σ_n e^{s(a,n)/t})), n over all negatives of a. 0 without positive pairs.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function ntXent(options: NtXentOptions = {}): PairLoss {
  const { temperature } = parseOptions(ntXentOptions, options);
  const loss = (embeddings: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
    tf.tidy(() => {
      const { positive, negative } = pairsOf(embeddings, labels);
      const z = tf.div<tf.Tensor2D>(similarities(embeddings), temperature);
      // -log(e^p / (e^p + Σ e^n)) = softplus(log Σ e^n - p)
      const values = tf.softplus(tf.sub(logSumExpWhere(z, negative), z));
      return tf.div<tf.Scalar>(tf.sum(tf.mul(values, positive)), tf.maximum(tf.sum(positive), 1));
    });
  return Object.assign(loss, { config: { name: ntXentPart.name, temperature }, overPairs: true as const });
}

export const ntXentPart = part('nt-xent', 'N-pairs with a temperature (Sohn, NeurIPS 2016)', ntXentOptions, ntXent);
