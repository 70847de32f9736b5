import { z } from 'zod';
import * as tf from '#tf';
import type { Objective } from '../../attacks/index.js';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { randomStream } from '../../random.js';
import { look } from '../../tfjs/index.js';
import { attackOption, type CraftSettings, craftWith, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from '../method.js';
import { randomTriplets, rowDistances, tripletLoss } from '../triplets.js';

export const hmOptions = z.strictObject({
  members: count.default(1).describe('networks in the ensemble'),
  margin: nonNegative.default(0.2).describe('of the triplet loss'),
  ics: nonNegative.default(0.5).describe('weight of the intra-class structure term; 0.5 as published, 0 is off'),
  attack: attackOption,
});

/** Options of {@link hm}. */
export type HmOptions = z.input<typeof hmOptions>;

/** What stands for the previous loss in the first step: above any margin that is usual, so that the first goal is the easiest. */
const FIRST_LOSS = 2;

/**
 * Hardness manipulation with a gradual adversary and intra-class structure (Zhou and Patel, CVPR 2022, "HM[S, g_LGA]"):
 * triplets are perturbed until their hardness d(a,p) - d(a,n) reaches -margin l, l the attacked triplets' loss in the
 * previous step over the margin, cut to [0, 1]: easy targets while the loss is high, semi-hard ones as it falls. ICS keeps
 * an attacked anchor nearer to its clean self than the positive is: relu(d(a,a') - d(a,p)).
 * Adapted: random source triplets, one per image; random starts unless `randomStart` is false; the training loss of the
 * clean images is added, which trains the proxies.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function hm(options: HmOptions): Method {
  const { members, margin, ics, attack } = parseOptions(hmOptions, options);
  const settings = trainingAttack(attack);
  return {
    config: { name: hmPart.name, members, margin, ics, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => craftHarder(step, rows, i, settings, margin)),
    memberLoss: (update) => hmLoss(update, margin, ics),
  };
}

export const hmPart = part(
  'hm',
  'hardness manipulation with intra-class structure (Zhou and Patel, CVPR 2022)',
  hmOptions,
  hm,
);

function craftHarder(
  step: TrainingStep,
  rows: Int32Array,
  member: number,
  settings: CraftSettings,
  margin: number,
): Crafted {
  const random = randomStream(step.seed, 'triplets', step.step, member);
  const { anchors, positives, negatives } = randomTriplets(rows, step.labels, random);
  if (anchors.length === 0) return { images: rowsOf(step.images, rows) };
  const all = Int32Array.from([...anchors, ...positives, ...negatives]);
  const previous = step.memory?.[member] ?? FIRST_LOSS;
  const wanted = margin === 0 ? 0 : -margin * Math.min(Math.max(previous / margin, 0), 1);
  const triplets = craftWith(step, [member], all, settings, member, hardness(wanted));
  const at = (list: Int32Array) =>
    tf.tensor1d(
      list.map((row) => rows.indexOf(row)),
      'int32',
    );
  return {
    images: rowsOf(step.images, rows),
    extra: { triplets, anchors: at(anchors), positives: at(positives) },
  };
}

/** -relu(wanted - (d(a,p) - d(a,n)))² of each triplet [a; p; n]: up to the wanted hardness and no further. */
function hardness(wanted: number): Objective {
  return {
    name: 'hardness',
    joint: true,
    flatAtStart: false,
    bind: () => (embeddings) => {
      const [a, p, n] = tf.split<tf.Tensor2D>(embeddings, 3, 0);
      const reached = tf.sub<tf.Tensor1D>(rowDistances(a, p), rowDistances(a, n));
      return tf.neg(tf.square(tf.relu(tf.sub(wanted, reached)))) as tf.Tensor1D;
    },
  };
}

function hmLoss({ step, member, images, labels, extra }: MemberUpdate, margin: number, ics: number): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  const clean = embedder.apply(images, true);
  const loss = step.loss(clean, labels, proxies as tf.Tensor as tf.Tensor2D);
  if (!extra) return loss;
  const [a, p, n] = tf.split<tf.Tensor2D>(embedder.apply(extra.triplets as tf.Tensor4D, true), 3, 0);
  const [anchor, positive] = [extra.anchors, extra.positives].map((at) => tf.gather(clean, at as tf.Tensor1D));
  const attacked = tripletLoss(a, p, n, margin);
  const { memory } = step;
  if (memory) {
    look(
      attacked,
      ([loss]) => {
        memory[member] = loss;
      },
      { soon: true },
    );
  }
  return tf.addN([loss, attacked, tf.mul(tripletLoss(anchor, a, positive, 0), ics)]);
}
