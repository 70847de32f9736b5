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

const keep = z.enum(['best', 'last']);

/** Steps of one length along the gradient: `fgsm`, `pgd` and `miFgsm` fill it in. */
export const pgdSettings = z.strictObject({
  ...commonSettings,
  rule: z.literal('fixed'),
  stepSize: radius,
  momentum: nonNegative.describe('decay of the accumulated gradient (MI-FGSM); 0 is plain ascent'),
  keep: keep.describe('the best iterate by the objective, which costs one more forward pass, or the last one'),
});

/** The settings of {@link pgd}, {@link fgsm} and {@link miFgsm} with every default filled in. */
export type PgdSettings = Readonly<z.infer<typeof pgdSettings>>;

export const fgsmOptions = z
  .strictObject({ ...ball, randomStart: z.boolean().default(false).describe('start at a random point of the ball') })
  .check(checkRadius);

/** Options of {@link fgsm}. `epsilon` is in [0, 1] pixel units. */
export type FgsmOptions = z.input<typeof fgsmOptions>;

/** Of PGD, without the check that its radius fits its norm. */
export const pgdShape = {
  ...ball,
  steps: count.default(20).describe('gradient steps'),
  stepSize: radius.optional().describe('default 2.5 epsilon / steps, so that every point of the ball can be reached'),
  randomStart: z.boolean().default(true).describe('start at a random point of the ball instead of at the image'),
  restarts: count.default(1).describe('independent runs of which the best is kept'),
  keep: keep.default('best').describe('the best iterate by the objective, or the last one'),
};

export const pgdOptions = z.strictObject(pgdShape).check(checkRadius);

/** Options of {@link pgd}. `epsilon` is in [0, 1] pixel units. */
export type PgdOptions = z.input<typeof pgdOptions>;

export const miFgsmOptions = z
  .strictObject({
    ...pgdShape,
    steps: count.default(10).describe('gradient steps'),
    stepSize: radius.optional().describe('default epsilon / steps'),
    randomStart: z.boolean().default(false).describe('start at a random point of the ball instead of at the image'),
    momentum: nonNegative.default(1).describe('decay of the accumulated gradient'),
  })
  .check(checkRadius);

/** Options of {@link miFgsm}. `epsilon` is in [0, 1] pixel units. */
export type MiFgsmOptions = z.input<typeof miFgsmOptions>;

/**
 * One step of length epsilon (Goodfellow et al., 2015).
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function fgsm(options: FgsmOptions): PgdSettings {
  const { norm, epsilon, randomStart } = parseOptions(fgsmOptions, options);
  const single = { rule: 'fixed' as const, steps: 1, stepSize: epsilon, momentum: 0, restarts: 1 };
  return { name: 'fgsm', norm, epsilon, randomStart, ...single, keep: 'best' };
}

/**
 * Projected gradient ascent from random starts (Madry et al., 2018).
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { evaluate, loadEnsemble, objective, openData, pgd } from 'eat-dml';
 *
 * const ensemble = await loadEnsemble('runs/eat');
 * const { test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['test'] });
 * const settings = pgd({ norm: 'linf', epsilon: 8 / 255, steps: 20, restarts: 2 });
 * const attacks = [{ name: 'mine', objective: objective('centroid-margin'), settings }];
 * const report = await evaluate(ensemble, unseen, { attacks, count: 12 });
 * console.log(report.attacks[0].name, report.attacks[0].scores.nmi);
 * ```
 */
export function pgd(options: PgdOptions): PgdSettings {
  const { norm, epsilon, steps, restarts, randomStart, keep, ...given } = parseOptions(pgdOptions, options);
  const { stepSize = (2.5 * epsilon) / steps } = given;
  return { name: 'pgd', norm, epsilon, steps, randomStart, restarts, rule: 'fixed', stepSize, momentum: 0, keep };
}

/**
 * Momentum iterative FGSM (Dong et al., 2018): gradients scaled to mean absolute value 1 and accumulated.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function miFgsm(options: MiFgsmOptions): PgdSettings {
  const { norm, epsilon, steps, restarts, randomStart, momentum, keep, ...given } = parseOptions(
    miFgsmOptions,
    options,
  );
  const { stepSize = epsilon / steps } = given;
  return { name: 'mi-fgsm', norm, epsilon, steps, randomStart, restarts, rule: 'fixed', stepSize, momentum, keep };
}

/** What one step hands to the next; all tensors are its own. */
type State = {
  current: tf.Tensor4D;
  velocity?: tf.Tensor4D;
  best?: Candidate;
  /** NaN once any value was not finite, else 0: `better` would take NaN for no improvement. */
  faults?: tf.Tensor1D;
};

/** `steps` steps of one length along the gradient (FGSM, PGD, MI-FGSM); the best iterate, or the last. */
export function pgdAscent(ascent: Ascent, settings: PgdSettings): Candidate {
  const { joint, values, objective } = ascent;
  let state: State = { current: tf.clone(ascent.start) };
  for (let step = 0; step < settings.steps; step++) {
    const next = tf.tidy(() => advance(ascent, settings, state));
    tf.dispose(state);
    state = next;
  }
  const { current, best, faults } = state;
  if (faults) requireFinite(`values of ${objective}`, faults);
  if (settings.keep === 'last' && settings.restarts === 1) return { images: current, values: tf.zeros([1]) };
  const last = values(current);
  requireFinite(`values of ${objective}`, last);
  return better(best, { images: current, values: last }, joint);
}

function advance(ascent: Ascent, settings: PgdSettings, { current, velocity, best, faults }: State): State {
  const { images, joint, objective } = ascent;
  const { momentum, keep, stepSize } = settings;
  const { value, gradient } = valueAndGradient(ascent, current);
  // The kernel looks at what it steps along; of an l1 gradient it sees the largest signs alone.
  if (settings.norm === 'l1') requireFinite(`gradient of ${objective} by the images`, gradient);
  const direction = momentum === 0 ? gradient : accumulate(velocity, gradient, momentum);
  const fault = tf.mul<tf.Tensor1D>(value, 0);
  return {
    current: stepInBall(images, current, direction, settings, stepSize),
    velocity: momentum === 0 ? undefined : direction,
    best: keep === 'best' ? better(best, { images: current, values: value }, joint) : undefined,
    faults: faults ? tf.add(faults, fault) : fault,
  };
}

/** v = momentum v + g / mean|g|, per sample. */
function accumulate(velocity: tf.Tensor4D | undefined, gradient: tf.Tensor4D, momentum: number): tf.Tensor4D {
  const size = tf.maximum(tf.mean(tf.abs(gradient), [1, 2, 3], true), 1e-24);
  const unit = tf.div<tf.Tensor4D>(gradient, size);
  return velocity ? tf.add(tf.mul(velocity, momentum), unit) : unit;
}

const rule: Rule<typeof pgdSettings> = { settings: pgdSettings, ascend: pgdAscent };

export const fgsmPart = attackPart('fgsm', 'one step (Goodfellow et al., ICLR 2015)', fgsmOptions, fgsm, rule);
export const pgdPart = attackPart('pgd', 'projected gradient ascent (Madry et al., ICLR 2018)', pgdOptions, pgd, rule);
export const miFgsmPart = attackPart('mi-fgsm', 'with momentum (Dong et al., CVPR 2018)', miFgsmOptions, miFgsm, rule);
