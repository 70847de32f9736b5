import { z } from 'zod';
import * as tf from '#tf';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { constant, knownTensor } from '../../tfjs/index.js';
import { attackOption, craftOn, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from '../method.js';

export const galOptions = z.strictObject({
  members: count.default(3).describe('networks in the ensemble'),
  lambda: nonNegative.default(0.5).describe('weight of the alignment; 0.5 as published'),
  attack: attackOption.optional().describe('learn from adversarial images; from clean ones only when absent'),
});

/** Options of {@link gal}. */
export type GalOptions = z.input<typeof galOptions>;

/** Move of a pixel, of the image that moves most, by which slopes are measured. */
const STEP = 0.01;
/** Gradients shorter than this count as this long, as published code has it; such an image's own is not turned. */
const SHORTEST = 1e-8;

/**
 * Gradient alignment loss (Kariyappa and Qureshi, 2019): members whose loss gradients by an image point apart are not
 * fooled by the same examples: (1/N) Σ_i loss_i + lambda mean_x log Σ_{i<j} exp(cos(g_i(x), g_j(x))), g_i(x) the gradient of
 * the batch's loss by image x.
 * Adapted: the metric loss stands for cross-entropy; members are updated in turn, each on N times the objective, so that its
 * loss weighs what it does elsewhere, with the others' gradients held fixed; with an attack all terms are of a member's own
 * adversarial images. As second derivatives do not exist for every kernel, the gradient of the alignment by the member is
 * that of the slope of its loss along the direction in which the alignment grows, a difference quotient.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function gal(options: GalOptions = {}): Method {
  const { members, lambda, attack } = parseOptions(galOptions, options);
  const settings = attack && trainingAttack(attack);
  return {
    config: { name: galPart.name, members, lambda, ...(settings && { attack: settings }) },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => craftAlignments(step, settings),
    memberLoss: (update) => galLoss(update, lambda),
  };
}

export const galPart = part(
  'gal',
  'gradient alignment loss (Kariyappa and Qureshi, 2019): members whose gradients point apart',
  galOptions,
  gal,
);

function craftAlignments(step: TrainingStep, settings?: ReturnType<typeof trainingAttack>): Crafted[] {
  const clean = settings ? undefined : rowsOf(step.images, step.rows[0]);
  // All members see the same clean images, so that one set of gradients serves all.
  const shared = clean && gradientsAt(step, step.rows[0], clean);
  return step.rows.map((rows, member) => {
    const images = clean ? tf.clone(clean) : craftOn(step, [member], rows, settings!, member);
    const gradients = shared ?? gradientsAt(step, rows, images);
    if (!gradients) return { images };
    const { alignment, direction } = alignmentOf(gradients, member);
    return { images, extra: { alignment, direction: tf.reshape(direction, images.shape) } };
  });
}

/** Of every member's loss by the images, [n, values] each; undefined where there is nothing to be aligned. */
function gradientsAt(step: TrainingStep, rows: Int32Array, images: tf.Tensor4D): tf.Tensor2D[] | undefined {
  if (step.members.length === 1 || rows.length === 0) return undefined;
  const labels = knownTensor(rows.map((row) => step.labels[row]));
  return step.members.map(({ embedder, proxies }) => {
    const loss = (x: tf.Tensor) =>
      step.loss(embedder.apply(x as tf.Tensor4D), labels, proxies as tf.Tensor as tf.Tensor2D) as tf.Tensor;
    return tf.reshape(tf.grad(loss)(images), [rows.length, -1]) as tf.Tensor2D;
  });
}

/**
 * mean_x log Σ_{i<j} exp(cos(g_i(x), g_j(x))) of gradients [n, values], one per network, and its gradient by `member`'s,
 * [n, values].
 */
function alignmentOf(gradients: tf.Tensor2D[], member: number): { alignment: tf.Scalar; direction: tf.Tensor2D } {
  const lengths = gradients.map((g) => tf.maximum(tf.norm(g, 2, 1, true), SHORTEST));
  const units = gradients.map((g, i) => tf.div<tf.Tensor2D>(g, lengths[i]));
  const pairs = units.flatMap((_, i) => units.slice(i + 1).map((_, j) => [i, i + 1 + j] as const));
  const cosines = tf.stack(
    pairs.map(([i, j]) => tf.sum(tf.mul(units[i], units[j]), 1)),
    1,
  ) as tf.Tensor2D;
  const weights = tf.unstack(tf.softmax(cosines), 1);
  const pulls = pairs.flatMap(([i, j], at) => {
    if (i !== member && j !== member) return [];
    const cosine = tf.slice(cosines, [0, at], [-1, 1]);
    const away = tf.sub(units[i === member ? j : i], tf.mul(cosine, units[member]));
    return [tf.mul<tf.Tensor2D>(away, tf.expandDims(weights[at], 1))];
  });
  const turned = tf.cast(tf.greater(lengths[member], SHORTEST), 'float32');
  const share = tf.div(turned, tf.mul(lengths[member], gradients[member].shape[0]));
  return { alignment: tf.mean(tf.logSumExp(cosines, 1)), direction: tf.mul(tf.addN(pulls), share) };
}

function galLoss({ step, member, images, labels, extra }: MemberUpdate, lambda: number): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  const lossAt = (x: tf.Tensor4D, training: boolean) =>
    step.loss(embedder.apply(x, training), labels, proxies as tf.Tensor as tf.Tensor2D);
  const loss = lossAt(images, true);
  if (!extra) return loss;
  const { alignment, direction } = extra;
  const longest = tf.max(tf.norm(tf.reshape(direction, [images.shape[0], -1]), 2, 1));
  const h = tf.div(STEP * Math.sqrt(images.size / images.shape[0]), tf.maximum(longest, 1e-30));
  const move = tf.mul<tf.Tensor4D>(direction as tf.Tensor4D, h);
  const rise = tf.sub(lossAt(tf.add(images, move), false), lossAt(tf.sub(images, move), false));
  const slope = tf.div(rise, tf.mul(h, 2));
  // The alignment's value, and the slope's gradient.
  const turning = tf.add(alignment, tf.sub(slope, constant(slope)));
  return tf.add(loss, tf.mul(turning, lambda * step.members.length));
}
