import { z } from 'zod';
import * as tf from '#tf';
import { headsOf } from '../../models/head.js';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftOn, lossesOf, trainingAttack } from '../craft.js';
import { checkDiversity, diversityShape, memberSamples } from '../diversity.js';
import type { MemberUpdate, Method } from '../method.js';

const GOALS = ['training-loss', 'centroid-random-target', 'retrieval'];

export const eatHeadsOptions = z
  .strictObject({
    heads: count.default(3).describe('N: embeddings over one trunk, each of as many columns as the model has'),
    ...diversityShape,
    diversity: diversityShape.diversity
      .unwrap()
      .default('disjoint')
      .describe('how the training set is cut among the heads; m-of-n takes m and n'),
    alignment: nonNegative
      .default(4)
      .describe('lambda: weight of mean_i |f_i(x’) - mean_j f_j(x’)|², on all images of a batch; 0 is off'),
    attack: attackOption,
  })
  .check(({ value, issues }) => checkDiversity({ value: { ...value, members: value.heads }, issues }));

/** Options of {@link eatHeads}. */
export type EatHeadsOptions = z.input<typeof eatHeadsOptions>;

/**
 * Ensemble Adversarial Training in one network, ours: what `eat` has members for are heads over one trunk, so that the ensemble costs
 * one network's passes. Each head learns from its own part of the data; examples are crafted on all heads together; and alignment
 * draws every head to their mean on all images, those among them that it does not learn from.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { convEmbedder, eatHeads, openData, train } from 'eat-dml';
 *
 * const { train: seen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['train'] });
 * const method = eatHeads({ heads: 3, attack: { epsilon: 8 / 255, steps: 3 } });
 * const network = await train({ data: seen, model: convEmbedder({ dimension: 16, width: 8 }), method, epochs: 1, seed: 1 });
 * console.log(network.embedding); // 48: three heads of 16 columns
 * ```
 */
export function eatHeads(options: EatHeadsOptions): Method {
  const { heads, diversity, by, m, n, alignment, attack: given } = parseOptions(eatHeadsOptions, options);
  const attack = trainingAttack(given, GOALS);
  const cut = { diversity, by, m, n };
  const headData: Method['headData'] = (labels, seed) => memberSamples(labels, { ...cut, members: heads }, seed);
  return {
    config: { name: eatHeadsPart.name, heads, ...cut, alignment, attack },
    members: 1,
    heads,
    // What any head learns from.
    memberData: (labels, seed) => [
      Int32Array.from(new Set(headData(labels, seed).flatMap((part) => [...part]))).sort(),
    ],
    headData,
    craft: (step) => [{ images: craftOn(step, [0], step.rows[0], attack, 0) }],
    memberLoss: (update) => alignedLoss(update, alignment),
  };
}

export const eatHeadsPart = part(
  'eat-heads',
  'EAT in one network, ours: heads over one trunk, diverse by data, drawn to their mean',
  eatHeadsOptions,
  eatHeads,
);

/** The mean of the heads' losses, each on its own rows, plus lambda times the mean squared distance of heads to their mean. */
function alignedLoss({ step, member, images, labels }: MemberUpdate, lambda: number): tf.Scalar {
  const { embedder } = step.members[member];
  const embeddings = embedder.apply(images, true);
  const losses = lossesOf(step, step.members[member], embeddings, labels);
  const loss = tf.div<tf.Scalar>(tf.addN(losses), losses.length);
  if (lambda === 0) return loss;
  const heads = headsOf(embedder, embeddings);
  // Of unit heads f_i, mean_i |f_i - m|² = 1 - |m|²; as rows are 1/sqrt(N) long, m is their sum over sqrt(N). What is held fixed in
  // m changes nothing: the gradient through it is a sum of differences from a mean.
  const squares = tf.div(tf.sum(tf.square(tf.addN(heads)), 1), heads.length);
  return tf.add(loss, tf.mul(tf.sub(1, tf.mean(squares)), lambda));
}
