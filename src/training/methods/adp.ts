import { z } from 'zod';
import * as tf from '#tf';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftOn, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { MemberUpdate, Method } from '../method.js';
import { proxyLogits } from '../proxy-logits.js';

export const adpOptions = z.strictObject({
  members: count.default(3).describe('networks in the ensemble'),
  alpha: nonNegative.default(2).describe('weight of the ensemble’s entropy; 2 as published'),
  beta: nonNegative.default(0.5).describe('weight of the diversity; 0.5 as published'),
  attack: attackOption.optional().describe('learn from adversarial images; from clean ones only when absent'),
});

/** Options of {@link adp}. */
export type AdpOptions = z.input<typeof adpOptions>;

/** Keeps determinants of nearly parallel predictions off zero; 1e-6 as published. */
const RIDGE = 1e-6;

/**
 * Adaptive diversity promoting (Pang et al., ICML 2019): Σ_i loss_i - alpha H(mean_i p_i) - beta log det(M^T M), the
 * columns of M the members' predictions without the true class, scaled to unit length.
 * Adapted: the metric loss stands for cross-entropy, proxy similarities for logits; members are updated in turn, each with
 * the others' predictions held fixed; with an attack all terms are of a member's own adversarial images.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function adp(options: AdpOptions = {}): Method {
  const { members, alpha, beta, attack } = parseOptions(adpOptions, options);
  const settings = attack && trainingAttack(attack);
  return {
    config: { name: adpPart.name, members, alpha, beta, ...(settings && { attack: settings }) },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) =>
      step.rows.map((rows, i) => ({
        images: settings ? craftOn(step, [i], rows, settings, i) : rowsOf(step.images, rows),
      })),
    memberLoss: (update) => adpLoss(update, alpha, beta),
  };
}

export const adpPart = part('adp', 'adaptive diversity promotion (Pang et al., ICML 2019)', adpOptions, adp);

function adpLoss({ step, member, images, labels }: MemberUpdate, alpha: number, beta: number): tf.Scalar {
  const own = step.members[member];
  const embeddings = own.embedder.apply(images, true);
  const loss = step.loss(embeddings, labels, own.proxies as tf.Tensor as tf.Tensor2D);
  const logits = step.members.map((other, i) => {
    const e = i === member ? embeddings : other.embedder.apply(images);
    return proxyLogits(e, other);
  });
  const entropy = tf.mean(entropyOfMean(logits));
  const diversity = tf.mean(logDeterminant(logits.map((of) => nonMaximal(of, labels))));
  return tf.sub(loss, tf.add(tf.mul(entropy, alpha), tf.mul(diversity, beta)));
}

/** H(mean_i p_i) of each sample. */
function entropyOfMean(logits: tf.Tensor2D[]): tf.Tensor1D {
  const predictions = logits.map((of) => tf.softmax(of));
  const mean = tf.div<tf.Tensor2D>(tf.addN(predictions), predictions.length);
  return tf.neg(tf.sum(tf.mul(mean, tf.log(tf.add(mean, 1e-20))), 1));
}

/** Predictions without the true class, unit rows; the others' shares of what it leaves have no tiny numbers to be lost. */
function nonMaximal(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor2D {
  const own = tf.oneHot(labels, logits.shape[1]);
  const shares = tf.softmax(tf.sub<tf.Tensor2D>(logits, tf.mul(own, 1e4)));
  return tf.div(shares, tf.sqrt(tf.sum(tf.square(shares), 1, true)));
}

/**
 * log det(M^T M + ridge) of each sample. It is the squared volume that the columns span when each is lengthened by a
 * direction of its own, sqrt(ridge) long: they are made orthogonal one by one, which keeps the digits that the products of
 * nearly parallel columns lose.
 */
export function logDeterminant(columns: tf.Tensor2D[]): tf.Tensor1D {
  const [n, members] = [columns[0].shape[0], columns.length];
  const beside = (i: number) => tf.mul(tf.oneHot(tf.fill([n], i, 'int32'), Math.max(members, 2)), Math.sqrt(RIDGE));
  const left = columns.map((column, i) => tf.concat([column, beside(i) as tf.Tensor2D], 1));
  const logs = left.map((_, k) => {
    const square = tf.sum(tf.square(left[k]), 1, true);
    for (let i = k + 1; i < members; i++) {
      const along = tf.div(tf.sum(tf.mul(left[i], left[k]), 1, true), square);
      left[i] = tf.sub(left[i], tf.mul(along, left[k]));
    }
    return tf.log(tf.squeeze<tf.Tensor1D>(square, [1]));
  });
  return tf.addN(logs);
}
