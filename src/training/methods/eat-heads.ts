import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { headsOf } from '../../models/head.js';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftOn, proxiesOf, trainingAttack, trainingGoal } from '../craft.js';
import { checkDiversity, diversityShape, memberSamples } from '../diversity.js';
import type { MemberUpdate, Method, TrainingStep } from '../method.js';

/** The first is drawn as often as the two others together. */
const GOALS = ['training-loss', 'training-loss', 'centroid-random-target', 'retrieval'];

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
      .describe('weight of mean_i |f_i(x’) - mean_j f_j(x’)|², on all images of a batch; 0 is off'),
    consistency: nonNegative
      .default(2)
      .describe('weight of |e(x’) - e(x)|², the clean embedding of all heads together held fixed; 0 is off'),
    whole: nonNegative
      .default(1)
      .describe('weight of the metric loss of all heads together, on all images of a batch; 0 is off'),
    attack: attackOption,
  })
  .check(({ value, issues }) => checkDiversity({ value: { ...value, members: value.heads }, issues }));

export type EatHeadsOptions = z.input<typeof eatHeadsOptions>;

/**
 * Ensemble Adversarial Training in one network, ours: what `eat` has members for are heads over one trunk, so that the ensemble costs
 * one network's passes. Each head learns from its own part of the data, and all together from all of it; examples are crafted on the
 * whole network; and alignment draws every head to their mean on all images, those among them that it does not learn from.
 */
export function eatHeads(options: EatHeadsOptions): Method {
  const { heads, diversity, by, m, n, attack: given, ...weights } = parseOptions(eatHeadsOptions, options);
  const attack = trainingAttack(given, GOALS);
  const cut = { diversity, by, m, n };
  const headData = (labels: Int32Array, seed: number) => memberSamples(labels, { ...cut, members: heads }, seed);
  return {
    config: { name: eatHeadsPart.name, heads, ...cut, ...weights, attack },
    members: 1,
    heads,
    // What any head learns from.
    memberData: (labels, seed) => [
      Int32Array.from(new Set(headData(labels, seed).flatMap((part) => [...part]))).sort(),
    ],
    headData,
    craft(step) {
      const lost = trainingGoal((embeddings, labels) => metricLoss(step, embeddings, labels, weights));
      const images = craftOn(step, [0], step.rows[0], attack, 0, undefined, lost);
      return [{ images, ...(weights.consistency > 0 && { target: step.members[0].embedder.apply(step.images) }) }];
    },
    memberLoss: (update) => lossOf(update, weights),
  };
}

export const eatHeadsPart = part(
  'eat-heads',
  'EAT in one network, ours: heads over one trunk, diverse by data, drawn to their mean',
  eatHeadsOptions,
  eatHeads,
);

type Weights = Pick<z.output<typeof eatHeadsOptions>, 'alignment' | 'consistency' | 'whole'>;

/** The metric loss, and what draws the heads to one another and to what they make of the clean images. */
function lossOf({ step, images, labels, target }: MemberUpdate, weights: Weights): tf.Scalar {
  const { alignment, consistency } = weights;
  const { embedder } = step.members[0];
  const embeddings = embedder.apply(images, true);
  const losses = [metricLoss(step, embeddings, labels, weights)];
  if (alignment > 0) losses.push(tf.mul(apart(headsOf(embedder, embeddings)), alignment));
  if (target) losses.push(tf.mul(tf.mean(tf.sum(tf.squaredDifference(embeddings, target), 1)), consistency));
  return tf.addN(losses);
}

/** The mean of the heads' losses, each on unit rows of its own images, plus `whole` times that of all columns on all images. */
function metricLoss(
  { members: [member], headRows, loss }: TrainingStep,
  embeddings: tf.Tensor2D,
  labels: tf.Tensor1D,
  { whole }: Weights,
): tf.Scalar {
  const proxies = headsOf(member.embedder, member.proxies as tf.Tensor as tf.Tensor2D);
  const losses = headsOf(member.embedder, embeddings).flatMap((head, h) => {
    const rows = headRows![h];
    if (rows.length === 0) return [];
    const unit = tf.mul<tf.Tensor2D>(head, Math.sqrt(proxies.length));
    if (rows.length === labels.shape[0]) return [loss(unit, labels, proxies[h])];
    const own = tf.tensor1d(rows, 'int32');
    return [loss(tf.gather(unit, own), tf.gather(labels, own), proxies[h])];
  });
  const ofHeads = tf.div<tf.Scalar>(tf.addN(losses), losses.length);
  return whole > 0 ? tf.add(ofHeads, tf.mul(loss(embeddings, labels, proxiesOf([member])), whole)) : ofHeads;
}

/**
 * The mean over images and heads of |f_i - m|², m = mean_j f_j: of unit rows 1 - |m|². As a head's rows are 1/sqrt(N) long, m is
 * their sum over sqrt(N). To hold m fixed would change nothing: the gradient through it is a sum of differences from a mean.
 */
function apart(heads: tf.Tensor2D[]): tf.Scalar {
  const squares = tf.div(tf.sum(tf.square(tf.addN(heads)), 1), heads.length);
  return tf.sub(1, tf.mean(squares));
}
