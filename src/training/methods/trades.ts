import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { Objective } from '../../attacks/index.js';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftWith, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Member, MemberUpdate, Method } from '../method.js';
import { proxyLogits } from '../proxy-logits.js';

export const tradesOptions = z.strictObject({
  members: count.default(1).describe('networks in the ensemble'),
  beta: nonNegative.default(6).describe('weight of the divergence; 6 as published'),
  attack: attackOption,
});

export type TradesOptions = z.input<typeof tradesOptions>;

/**
 * TRADES (Zhang et al., ICML 2019): loss(x) + beta KL(p(x) || p(x')), x' crafted to raise the divergence.
 * Adapted: the metric loss on clean images stands for cross-entropy, proxy similarities for logits.
 */
export function trades(options: TradesOptions): Method {
  const { members, beta, attack } = parseOptions(tradesOptions, options);
  const settings = trainingAttack(attack);
  return {
    config: { name: tradesPart.name, members, beta, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) =>
      step.rows.map((rows, i) => ({
        images: craftWith(step, [i], rows, settings, i, divergenceFrom(step.members[i])),
        extra: { clean: rowsOf(step.images, rows) },
      })),
    memberLoss: (update) => tradesLoss(update, beta),
  };
}

export const tradesPart = part(
  'trades',
  'TRADES (Zhang et al., ICML 2019), with proxy similarities as logits',
  tradesOptions,
  trades,
);

/** KL(p(x) || p(x')) of each sample, p(x) held fixed. */
function divergenceFrom(member: Member): Objective {
  return {
    name: 'divergence',
    joint: false,
    flatAtStart: true,
    bind({ clean }) {
      const before = tf.logSoftmax(proxyLogits(clean(), member));
      return (embeddings) => divergence(before, tf.logSoftmax(proxyLogits(embeddings, member)));
    },
  };
}

function divergence(before: tf.Tensor2D, after: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.mul(tf.exp(before), tf.sub(before, after)), 1);
}

function tradesLoss({ step, member, images, labels, extra }: MemberUpdate, beta: number): tf.Scalar {
  const own = step.members[member];
  const clean = own.embedder.apply(extra!.clean as tf.Tensor4D, true);
  const attacked = own.embedder.apply(images, true);
  const [before, after] = [clean, attacked].map((embeddings) => tf.logSoftmax(proxyLogits(embeddings, own)));
  const loss = step.loss(clean, labels, own.proxies as tf.Tensor as tf.Tensor2D);
  return tf.add(loss, tf.mul(tf.mean(divergence(before, after)), beta));
}
