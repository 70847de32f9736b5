import { z } from 'zod';
import * as tf from '#tf';
import { count, parseOptions } from '../../options.js';
import { type Reading, readNow, settled, tidied } from '../../tfjs/index.js';
import type { Ascent } from '../ascent.js';
import { type Candidate, perSample } from '../candidate.js';
import { requireFinite, requireFiniteValues, valueAndGradient } from '../finite.js';
import { checkRadius } from '../norm.js';
import { HalvingPace } from './apgd-halving.js';
import type { Pace, Points } from './apgd-pace.js';
import { SparsePace } from './apgd-sparse.js';
import { ball, commonSettings } from './common.js';
import { attackPart, type Rule } from './rule.js';

/** Steps that shrink, and a return to the best point, where progress stalls: `apgd`. */
export const apgdSettings = z.strictObject({ ...commonSettings, rule: z.literal('adaptive') });

/** The settings of {@link apgd} with every default filled in. */
export type ApgdSettings = Readonly<z.infer<typeof apgdSettings>>;

export const apgdOptions = z
  .strictObject({
    ...ball,
    steps: count.default(100).describe('gradient steps; 100 as published'),
    restarts: count.default(1).describe('independent runs of which the best is kept'),
  })
  .check(checkRadius);

/** Options of {@link apgd}. `epsilon` is in [0, 1] pixel units. */
export type ApgdOptions = z.input<typeof apgdOptions>;

/**
 * Auto-PGD (Croce and Hein, ICML 2020): first step 2 epsilon, momentum 0.75, halving at the published checkpoints. In l1
 * that of "Mind the box" (ICML 2021): first step epsilon, no momentum, sparse steps.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function apgd(options: ApgdOptions): ApgdSettings {
  const { norm, epsilon, steps, restarts } = parseOptions(apgdOptions, options);
  return { name: 'apgd', norm, epsilon, steps, randomStart: true, restarts, rule: 'adaptive' };
}

/**
 * Auto-PGD as its authors' code has it (fra31/auto-attack): see apgd-halving.ts for linf and l2, apgd-sparse.ts for l1.
 * Adapted: random starts are uniform in the ball; in l1 one radius from the first step to the last.
 */
export function apgdAscent(ascent: Ascent, settings: ApgdSettings): Candidate {
  return readNow(climb(ascent, settings));
}

function* climb(ascent: Ascent, settings: ApgdSettings): Reading<Candidate> {
  const { start } = ascent;
  const { norm } = settings;
  const first = yield* evaluate(ascent, start);
  const best = Float64Array.from(first.values);
  const pace: Pace =
    norm === 'l1'
      ? yield* SparsePace.of(ascent, settings)
      : new HalvingPace(ascent, { ...settings, norm }, first.values);
  const [at, gradient] = [() => tf.clone(start), () => tf.clone(first.gradient)];
  let points: Points = { current: at(), previous: at(), best: at(), gradient: gradient(), bestGradient: gradient() };
  for (let step = 1; step <= settings.steps; step++) {
    const before = points;
    points = yield* tidied(function* () {
      const next = yield* advance(ascent, before, pace, best);
      return pace.marks.has(step) ? goOn(next, yield* settled(pace.lookBack(next.best, best))) : next;
    });
    tf.dispose(before);
  }
  return { images: points.best, values: tf.tensor1d(Float32Array.from(best)) };
}

function* advance(ascent: Ascent, points: Points, pace: Pace, best: Float64Array): Reading<Points> {
  const next = pace.next(points);
  const { values, gradient } = yield* evaluate(ascent, next);
  pace.note(values);
  const rises = Uint8Array.from(values, (value, i) => (value > best[i] ? 1 : 0));
  for (const [i, rise] of rises.entries()) if (rise) best[i] = values[i];
  const improved = tf.cast(perSample(rises), 'bool');
  return {
    current: next,
    previous: tf.clone(points.current),
    gradient,
    best: tf.where(improved, next, points.best),
    bestGradient: tf.where(improved, gradient, points.bestGradient),
  };
}

/** The stalled samples go on from their best point. The move before it stays the last one made, from `previous`. */
function goOn(points: Points, stalled: Uint8Array): Points {
  const back = tf.cast(perSample(stalled), 'bool');
  return {
    ...points,
    current: tf.where(back, points.best, points.current),
    gradient: tf.where(back, points.bestGradient, points.gradient),
  };
}

function* evaluate(ascent: Ascent, x: tf.Tensor4D): Reading<{ values: Float64Array; gradient: tf.Tensor4D }> {
  const { joint, objective } = ascent;
  const { value, gradient } = valueAndGradient(ascent, x);
  const numbers = Float64Array.from(yield value);
  value.dispose();
  requireFiniteValues(`values of ${objective}`, numbers);
  requireFinite(`gradient of ${objective} by the images`, gradient);
  return { values: joint ? Float64Array.of(numbers.reduce((a, b) => a + b, 0)) : numbers, gradient };
}

const rule: Rule<typeof apgdSettings> = { settings: apgdSettings, ascend: climb };

export const apgdPart = attackPart('apgd', 'Auto-PGD (Croce and Hein, ICML 2020 and 2021)', apgdOptions, apgd, rule);
