import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftOn, rowsOf, trainingAttack } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from '../method.js';

export const galOptions = z.strictObject({
  members: count.default(3).describe('networks in the ensemble'),
  lambda: nonNegative.default(0.5).describe('weight of the alignment; 0.5 as published'),
  attack: attackOption.optional().describe('learn from adversarial images; from clean ones only when absent'),
});

export type GalOptions = z.input<typeof galOptions>;

/** Mean move of a pixel along a peer's gradient, by which the slope is measured. */
const STEP = 0.01;

/**
 * Gradient alignment loss (Kariyappa and Qureshi, 2019): members whose loss gradients by the image point apart are not
 * fooled by the same examples: loss_i + lambda log Σ_{j != i} exp(cos(g_i, g_j)), g the gradient of the batch's loss.
 * Adapted: the cosine is measured by a difference quotient, (loss_i(x + h g_j/|g_j|) - loss_i(x)) / (h |g_i|), as second
 * derivatives do not exist for every kernel; gradients of all members are taken before any moves.
 */
export function gal(options: GalOptions = {}): Method {
  const { members, lambda, attack } = parseOptions(galOptions, options);
  const settings = attack && trainingAttack(attack);
  return {
    config: { name: galPart.name, members, lambda, ...(settings && { attack: settings }) },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => craftWithGradients(step, rows, i, settings)),
    memberLoss: (update) => galLoss(update, lambda),
  };
}

export const galPart = part(
  'gal',
  'gradient alignment loss (Kariyappa and Qureshi, 2019): members whose gradients point apart',
  galOptions,
  gal,
);

function craftWithGradients(
  step: TrainingStep,
  rows: Int32Array,
  member: number,
  settings?: ReturnType<typeof trainingAttack>,
): Crafted {
  const images = settings ? craftOn(step, [member], rows, settings, member) : rowsOf(step.images, rows);
  const labels = tf.tensor1d(
    rows.map((row) => step.labels[row]),
    'int32',
  );
  const gradients = step.members.map(({ embedder, proxies }) => {
    const loss = (x: tf.Tensor) =>
      step.loss(embedder.apply(x as tf.Tensor4D), labels, proxies as tf.Tensor as tf.Tensor2D) as tf.Tensor;
    return tf.grad(loss)(images);
  });
  const lengths = gradients.map((g) => tf.maximum(tf.norm(g), 1e-12));
  const extra: Record<string, tf.Tensor> = { length: lengths[member] };
  gradients.forEach((g, j) => {
    if (j !== member) extra[`toward${j}`] = tf.div(g, lengths[j]);
  });
  return { images, extra };
}

function galLoss({ step, member, images, labels, extra }: MemberUpdate, lambda: number): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  const lossAt = (x: tf.Tensor4D, training: boolean) =>
    step.loss(embedder.apply(x, training), labels, proxies as tf.Tensor as tf.Tensor2D);
  const loss = lossAt(images, true);
  const { length, ...directions } = extra!;
  const h = STEP * Math.sqrt(images.size);
  const here = lossAt(images, false);
  const cosines = Object.values(directions).map((direction) => {
    const there = lossAt(tf.add(images, tf.mul(direction, h)), false);
    return tf.clipByValue(tf.div(tf.sub(there, here), tf.mul(length, h)), -1, 1);
  });
  if (cosines.length === 0) return loss;
  return tf.add(loss, tf.mul(tf.logSumExp(tf.stack(cosines)), lambda));
}
