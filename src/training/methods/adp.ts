import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
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

export type AdpOptions = z.input<typeof adpOptions>;

/** Keeps determinants of nearly parallel predictions off zero. */
const RIDGE = 1e-3;

/**
 * Adaptive diversity promoting (Pang et al., ICML 2019): Σ_i loss_i - alpha H(mean_i p_i) - beta log det(M^T M), the
 * columns of M the members' predictions without the true class, scaled to unit length.
 * Adapted: proxy similarities as logits; members are updated in turn, each with the others' predictions held fixed.
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
  const predictions = step.members.map((other, i) => {
    const e = i === member ? embeddings : other.embedder.apply(images);
    return tf.softmax(proxyLogits(e, other));
  });
  const mean = tf.div<tf.Tensor2D>(tf.addN(predictions), predictions.length);
  const entropy = tf.neg(tf.mean(tf.sum(tf.mul(mean, tf.log(tf.add(mean, 1e-12))), 1)));
  const diversity = tf.mean(logDeterminant(nonMaximal(predictions, labels)));
  return tf.sub(loss, tf.add(tf.mul(entropy, alpha), tf.mul(diversity, beta)));
}

/** Predictions without the true class, unit rows. */
function nonMaximal(predictions: tf.Tensor2D[], labels: tf.Tensor1D): tf.Tensor2D[] {
  const others = tf.sub(1, tf.oneHot(labels, predictions[0].shape[1]));
  return predictions.map((p) => {
    const rest = tf.mul<tf.Tensor2D>(p, others);
    return tf.div(rest, tf.sqrt(tf.add(tf.sum(tf.square(rest), 1, true), 1e-12)));
  });
}

/** log det(M^T M + ridge) of each sample by elimination: the matrix is as small as the ensemble, its entries are [n]. */
export function logDeterminant(rows: tf.Tensor2D[]): tf.Tensor1D {
  const n = rows.length;
  const gram = rows.map((a, i) => rows.map((b, j) => tf.add(tf.sum(tf.mul(a, b), 1), i === j ? RIDGE : 0)));
  const logs: tf.Tensor[] = [];
  for (let k = 0; k < n; k++) {
    logs.push(tf.log(tf.maximum(gram[k][k], 1e-9)));
    for (let i = k + 1; i < n; i++) {
      const factor = tf.div(gram[i][k], tf.maximum(gram[k][k], 1e-9));
      for (let j = k + 1; j < n; j++) gram[i][j] = tf.sub(gram[i][j], tf.mul(factor, gram[k][j]));
    }
  }
  return tf.addN(logs) as tf.Tensor1D;
}
