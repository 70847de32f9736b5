import { z } from 'zod';
import * as tf from '#tf';
import type { Objective } from '../../attacks/index.js';
import type { TrainingMode } from '../../models/index.js';
import { batchNorm } from '../../models/norm-sets.js';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftWith, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Member, MemberUpdate, Method } from '../method.js';
import { proxyLogits } from '../proxy-logits.js';

export const tradesOptions = z.strictObject({
  members: count.default(1).describe('networks in the ensemble'),
  beta: nonNegative.default(6).describe('weight of the divergence; 6 as published'),
  batchNorm: batchNorm
    .default('shared')
    .describe('split: clean and adversarial images have batch normalisations of their own, as AdvProp’s'),
  attack: attackOption,
});

/** Options of {@link trades}. */
export type TradesOptions = z.input<typeof tradesOptions>;

/**
 * TRADES (Zhang et al., ICML 2019): loss(x) + beta KL(p(x) || p(x')), x' crafted to raise the divergence.
 * Adapted: the metric loss on clean images stands for cross-entropy, proxy similarities for logits. With `batchNorm: 'split'`
 * p(x) is by the clean set of batch normalisations, p(x') and crafting by the adversarial one.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function trades(options: TradesOptions): Method {
  const { members, beta, batchNorm, attack } = parseOptions(tradesOptions, options);
  const settings = trainingAttack(attack);
  const split = batchNorm === 'split' && ({ batchNorm } as const);
  return {
    config: { name: tradesPart.name, members, beta, ...split, attack: settings },
    members,
    ...split,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) =>
      step.rows.map((rows, i) => {
        const clean = rowsOf(step.images, rows);
        const { embedder } = step.members[i];
        const mode = settings.batchNorm ?? false;
        const byClean = split ? () => embedder.by!('clean').apply(clean, mode) : undefined;
        const images = craftWith(step, [i], rows, settings, i, divergenceFrom(step.members[i], byClean));
        return { images, extra: { clean } };
      }),
    memberLoss: (update) => tradesLoss(update, beta, split ? 'adversarial' : true),
  };
}

export const tradesPart = part(
  'trades',
  'TRADES (Zhang et al., ICML 2019), with proxy similarities as logits',
  tradesOptions,
  trades,
);

/** KL(p(x) || p(x')) of each sample, p(x) held fixed; of other embeddings of x than the attacked network's, where they are given. */
function divergenceFrom(member: Member, byClean?: () => tf.Tensor2D): Objective {
  return {
    name: 'divergence',
    joint: false,
    flatAtStart: true,
    bind({ clean }) {
      const before = tf.logSoftmax(proxyLogits(byClean?.() ?? clean(), member));
      return (embeddings) => divergence(before, tf.logSoftmax(proxyLogits(embeddings, member)));
    },
  };
}

function divergence(before: tf.Tensor2D, after: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.mul(tf.exp(before), tf.sub(before, after)), 1);
}

function tradesLoss(
  { step, member, images, labels, extra }: MemberUpdate,
  beta: number,
  mode: TrainingMode,
): tf.Scalar {
  const own = step.members[member];
  const clean = own.embedder.apply(extra!.clean as tf.Tensor4D, true);
  const attacked = own.embedder.apply(images, mode);
  const [before, after] = [clean, attacked].map((embeddings) => tf.logSoftmax(proxyLogits(embeddings, own)));
  const loss = step.loss(clean, labels, own.proxies as tf.Tensor as tf.Tensor2D);
  return tf.add(loss, tf.mul(tf.mean(divergence(before, after)), beta));
}
