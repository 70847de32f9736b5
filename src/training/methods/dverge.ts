import { z } from 'zod';
import * as tf from '#tf';
import type { Objective } from '../../attacks/index.js';
import { atLeast, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { type RandomStream, randomStream } from '../../random.js';
import { attackOption, craftOn, craftWith, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from '../method.js';

export const dvergeOptions = z.strictObject({
  members: atLeast(2, 'at least 2 members').default(3).describe('networks in the ensemble'),
  adversarial: z.boolean().default(false).describe('also learn from own adversarial examples (DVERGE + AT)'),
  attack: attackOption,
});

/** Options of {@link dverge}. */
export type DvergeOptions = z.input<typeof dvergeOptions>;

/** Decay of the accumulated gradient in distillation, as published. */
const MOMENTUM = 1;

/**
 * DVERGE (Yang et al., NeurIPS 2020): member i learns to see, with their true labels, the images that peers take for
 * something else: x' near x that embeds by peer j like another image, found with momentum. So vulnerabilities are not shared.
 * Adapted: features are distilled at the embedding, the only layer that all models here have; the other images are of the
 * same batch; distillation begins at random points of the ball unless `randomStart` is false; the metric loss replaces
 * cross-entropy, averaged over all sets of images, own adversarial ones among them, which theirs sums.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function dverge(options: DvergeOptions): Method {
  const { members, adversarial, attack } = parseOptions(dvergeOptions, options);
  const settings = trainingAttack(attack);
  return {
    config: { name: dvergePart.name, members, adversarial, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => craftDistilled(step, settings, adversarial),
    memberLoss,
  };
}

export const dvergePart = part(
  'dverge',
  'DVERGE (Yang et al., NeurIPS 2020): members do not share what fools them',
  dvergeOptions,
  dverge,
);

/** For each member the images distilled from every other; each member distils once for all others. */
function craftDistilled(
  step: TrainingStep,
  settings: ReturnType<typeof trainingAttack>,
  adversarial: boolean,
): Crafted[] {
  const all = Int32Array.from(step.labels, (_, i) => i);
  const goal = likeAnother(targets(all.length, randomStream(step.seed, 'distil', step.step)));
  const distil = { ...settings, momentum: MOMENTUM };
  const distilled = step.members.map((_, j) => craftWith(step, [j], all, distil, `distil-${j}`, goal));
  return step.members.map((_, i) => {
    const peers = distilled.filter((_, j) => j !== i).map((images) => tf.clone(images));
    const own = adversarial ? [craftOn(step, [i], all, settings, i)] : [];
    const [images, ...rest] = [...peers, ...own];
    return { images, extra: Object.fromEntries(rest.map((x, at) => [`more${at}`, x])) };
  });
}

/** For each image the next one of a random round: never itself where there are two. */
function targets(count: number, random: RandomStream): Int32Array {
  const round = random.permutation(count);
  const next = new Int32Array(count);
  for (const [at, image] of round.entries()) next[image] = round[(at + 1) % count];
  return next;
}

/** -|f(x') - f(x_other)|², the other image being that of `others`. */
function likeAnother(others: Int32Array): Objective {
  return {
    name: 'distilled-feature',
    joint: false,
    flatAtStart: false,
    bind({ clean }) {
      const goals = tf.gather(clean(), tf.tensor1d(others, 'int32'));
      return (embeddings) => tf.neg(tf.sum(tf.squaredDifference(embeddings, goals), 1)) as tf.Tensor1D;
    },
  };
}

function memberLoss({ step, member, images, labels, extra }: MemberUpdate): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  const sets = [images, ...Object.values(extra ?? {})] as tf.Tensor4D[];
  const losses = sets.map((x) => step.loss(embedder.apply(x, true), labels, proxies as tf.Tensor as tf.Tensor2D));
  return tf.div(tf.addN(losses), losses.length);
}
