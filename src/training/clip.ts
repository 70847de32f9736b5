import { z } from 'zod';
import * as tf from '#tf';
import { positive } from '../options.js';

/** How gradients are cut, as a schema; none says what a recipe shall not. */
export const clip = z.union(
  [
    z.literal('none').describe('gradients as they are'),
    z.strictObject({ value: positive.describe('every value of a gradient is cut to [-value, value]') }),
    z.strictObject({ norm: positive.describe('all gradients of a member are scaled to at most that norm together') }),
  ],
  'none, or {value} or {norm} of a finite number > 0',
);

/** `{value}` cuts every value to [-value, value]; `{norm}` scales all gradients of a member to at most that norm together. */
export type Clip = Exclude<z.infer<typeof clip>, 'none'>;

/**
 * The gradients as PyTorch's clip_grad_value_ and clip_grad_norm_ leave them: g cut to [-value, value], or
 * g min(1, norm / (‖all g‖₂ + 1e-6)). Call it in a tidy.
 */
export function clipped(gradients: tf.NamedTensorMap, by: Clip): tf.NamedTensorMap {
  const names = Object.keys(gradients);
  if ('value' in by) {
    return Object.fromEntries(names.map((name) => [name, tf.clipByValue(gradients[name], -by.value, by.value)]));
  }
  const squares = names.map((name) => tf.sum(tf.square(gradients[name])));
  const norm = tf.sqrt(tf.addN(squares));
  const scale = tf.minimum(tf.div(by.norm, tf.add(norm, 1e-6)), 1);
  return Object.fromEntries(names.map((name) => [name, tf.mul(gradients[name], scale)]));
}
