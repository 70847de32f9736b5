import { z } from 'zod';
import * as tf from '#tf';
import { count, nonNegative, parseOptions } from '../../options.js';
import type { Ascent } from '../ascent.js';
import { stepInBall } from '../ball.js';
import { better, type Candidate } from '../candidate.js';
import { requireFinite, valueAndGradient } from '../finite.js';
import { checkRadius, radius } from '../norm.js';
import { ball, commonSettings } from './common.js';
import { attackPart, type Rule } from './rule.js';

/** Steps with momentum whose length falls to nothing: `mpgd`. */
export const mpgdSettings = z.strictObject({
  ...commonSettings,
  rule: z.literal('decaying'),
  stepSize: radius.describe('of the first step'),
  momentum: nonNegative.describe('decay of the accumulated gradient'),
});

/** The settings of {@link mpgd} with every default filled in. */
export type MpgdSettings = Readonly<z.infer<typeof mpgdSettings>>;

export const mpgdOptions = z
  .strictObject({
    ...ball,
    steps: count.default(40).describe('gradient steps'),
    stepSize: radius.optional().describe('of the first step (default epsilon); it falls as half a cosine, to 0'),
    momentum: nonNegative.default(0.9).describe('decay of the accumulated gradient'),
    restarts: count.default(1).describe('independent runs of which the best is kept'),
  })
  .check(checkRadius);

/** Options of {@link mpgd}. `epsilon` is in [0, 1] pixel units. */
export type MpgdOptions = z.input<typeof mpgdOptions>;

/**
 * PGD with the momentum of MI-FGSM and steps that decay: where fixed steps end by swinging about, these settle.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function mpgd(options: MpgdOptions): MpgdSettings {
  const { norm, epsilon, steps, stepSize = epsilon, momentum, restarts } = parseOptions(mpgdOptions, options);
  return { name: 'mpgd', norm, epsilon, steps, randomStart: true, restarts, rule: 'decaying', stepSize, momentum };
}

/** What one step hands to the next. */
export type Moving = { current: tf.Tensor4D; velocity?: tf.Tensor4D };

/** Step `step` (from 0) of `settings` along `gradient`: v = momentum v + g / mean|g| per sample, x = P(x + length v). */
export function momentumStep(
  images: tf.Tensor4D,
  { current, velocity }: Moving,
  gradient: tf.Tensor4D,
  settings: MpgdSettings,
  step: number,
): Required<Moving> {
  const { steps, stepSize, momentum } = settings;
  const size = tf.maximum(tf.mean(tf.abs(gradient), [1, 2, 3], true), 1e-24);
  const unit = tf.div<tf.Tensor4D>(gradient, size);
  const direction = velocity ? tf.add<tf.Tensor4D>(tf.mul(velocity, momentum), unit) : unit;
  const length = (stepSize * (1 + Math.cos((Math.PI * step) / steps))) / 2;
  return { current: stepInBall(images, current, direction, settings, length), velocity: direction };
}

/** The best iterate of every image, or of the batch where its values belong together. */
export function mpgdAscent(ascent: Ascent, settings: MpgdSettings): Candidate {
  const { images, joint, values, objective } = ascent;
  let state: Moving & { best?: Candidate } = { current: tf.clone(ascent.start) };
  for (let step = 0; step < settings.steps; step++) {
    const before = state;
    state = tf.tidy(() => {
      const { value, gradient } = valueAndGradient(ascent, before.current);
      requireFinite(`values of ${objective}`, value);
      requireFinite(`gradient of ${objective} by the images`, gradient);
      const best = better(before.best, { images: before.current, values: value }, joint);
      return { ...momentumStep(images, before, gradient, settings, step), best };
    });
    tf.dispose(before);
  }
  const { current, best } = state;
  return better(best, { images: current, values: values(current) }, joint);
}

const rule: Rule<typeof mpgdSettings> = { settings: mpgdSettings, ascend: mpgdAscent };

export const mpgdPart = attackPart('mpgd', 'with momentum, and steps that decay to nothing', mpgdOptions, mpgd, rule);
