import { z } from 'zod';
import * as tf from '#tf';
import type { Objective } from '../../attacks/index.js';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { randomStream } from '../../random.js';
import { attackOption, craftWith, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from '../method.js';
import { randomTriplets, rowDistances, tripletLoss } from '../triplets.js';

export const actOptions = z.strictObject({
  members: count.default(1).describe('networks in the ensemble'),
  margin: nonNegative.default(0.2).describe('of the triplet loss'),
  attack: attackOption,
});

/** Options of {@link act}. */
export type ActOptions = z.input<typeof actOptions>;

/**
 * Anti-collapse triplet (Zhou et al., "Adversarial attack and defense in deep ranking", 2021): positives and negatives
 * are drawn together in the embedding space, then told apart again by the triplet loss around clean anchors.
 * Adapted: random triplets, one per image, and the training loss of the clean anchors added, which trains the proxies
 * that all methods here have.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function act(options: ActOptions): Method {
  const { members, margin, attack } = parseOptions(actOptions, options);
  const settings = trainingAttack(attack);
  return {
    config: { name: actPart.name, members, margin, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => craftCollapsed(step, rows, i, settings)),
    memberLoss: (update) => actLoss(update, margin),
  };
}

export const actPart = part('act', 'anti-collapse triplet (Zhou et al., 2021)', actOptions, act);

function craftCollapsed(
  step: TrainingStep,
  rows: Int32Array,
  member: number,
  settings: ReturnType<typeof trainingAttack>,
): Crafted {
  const random = randomStream(step.seed, 'triplets', step.step, member);
  const { anchors, positives, negatives } = randomTriplets(rows, step.labels, random);
  if (anchors.length === 0) return { images: rowsOf(step.images, rows) };
  const both = Int32Array.from([...positives, ...negatives]);
  const pairs = craftWith(step, [member], both, settings, member, togetherness);
  return {
    images: rowsOf(step.images, rows),
    extra: {
      pairs,
      anchors: tf.tensor1d(
        anchors.map((row) => rows.indexOf(row)),
        'int32',
      ),
    },
  };
}

/** Minus the distance of each of the first half of a batch to its partner in the second. */
const togetherness: Objective = {
  name: 'collapse',
  joint: true,
  flatAtStart: false,
  bind: () => (embeddings) => {
    const [positives, negatives] = tf.split<tf.Tensor2D>(embeddings, 2, 0);
    return tf.neg(rowDistances(positives, negatives)) as tf.Tensor1D;
  },
};

function actLoss({ step, member, images, labels, extra }: MemberUpdate, margin: number): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  const clean = embedder.apply(images, true);
  const loss = step.loss(clean, labels, proxies as tf.Tensor as tf.Tensor2D);
  if (!extra) return loss;
  const [positives, negatives] = tf.split<tf.Tensor2D>(embedder.apply(extra.pairs as tf.Tensor4D, true), 2, 0);
  return tf.add(loss, tripletLoss(tf.gather(clean, extra.anchors as tf.Tensor1D), positives, negatives, margin));
}
