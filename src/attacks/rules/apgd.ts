import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { count, parseOptions } from '../../options.js';
import type { Ascent } from '../ascent.js';
import { intoBall, steepest } from '../ball.js';
import { type Candidate, perSample } from '../candidate.js';
import { requireFinite, requireFiniteValues, valueAndGradient } from '../finite.js';
import { checkRadius } from '../norm.js';
import { ball, commonSettings } from './common.js';
import { attackPart, type Rule } from './rule.js';

/** Steps that halve, and a return to the best point, where progress stalls: `apgd`. */
export const apgdSettings = z.strictObject({ ...commonSettings, rule: z.literal('adaptive') });

export type ApgdSettings = Readonly<z.infer<typeof apgdSettings>>;

export const apgdOptions = z
  .strictObject({
    ...ball,
    steps: count.default(100).describe('gradient steps; 100 as published'),
    restarts: count.default(1).describe('independent runs of which the best is kept'),
  })
  .check(checkRadius);

export type ApgdOptions = z.input<typeof apgdOptions>;

/** Auto-PGD (Croce and Hein, ICML 2020): first step 2 epsilon, momentum 0.75, halving at the published checkpoints. */
export function apgd(options: ApgdOptions): ApgdSettings {
  const { norm, epsilon, steps, restarts } = parseOptions(apgdOptions, options);
  return { name: 'apgd', norm, epsilon, steps, randomStart: true, restarts, rule: 'adaptive' };
}

/** Weight of the new step against the last move. */
const ALPHA = 0.75;
/** A stretch between checkpoints must raise the objective in this share of its steps. */
const RHO = 0.75;

/** Where the step size is looked at: w_j = ceil(p_j steps), p = 0, 0.22, then p_j + max(p_j - p_{j-1} - 0.03, 0.06). */
export function checkpoints(steps: number): number[] {
  // In percent, whole numbers: 0.57 of 100 steps is 57, which rounding errors would make 58.
  const shares = [0, 22];
  while (shares.at(-1)! < 100) {
    const [before, last] = shares.slice(-2);
    shares.push(last + Math.max(last - before - 3, 6));
  }
  return shares.map((share) => Math.ceil((share * steps) / 100)).filter((step) => step > 0 && step <= steps);
}

/** Per sample (or for a whole batch whose values belong together): what the rule remembers. */
interface Progress {
  stepSize: Float64Array;
  best: Float64Array;
  last: Float64Array;
  /** Steps since the last checkpoint that raised the objective. */
  rises: Float64Array;
  bestBefore: Float64Array;
  halvedBefore: Uint8Array;
}

/** Tensors that a step hands on: where it stands and stood, and the best point so far, each with its gradient. */
type Points = Record<'current' | 'previous' | 'gradient' | 'best' | 'bestGradient', tf.Tensor4D>;

/**
 * Auto-PGD (Croce and Hein, 2020, algorithm 1): z = P(x + eta d), x' = P(x + 0.75 (z - x) + 0.25 (x - x_before)) with
 * d the steepest direction; at a checkpoint the step is halved and the search returns to its best point where fewer
 * than 75% of the steps rose, or where neither step nor best value changed since the last checkpoint.
 */
export function apgdAscent(ascent: Ascent, settings: ApgdSettings): Candidate {
  const { start } = ascent;
  const first = evaluate(ascent, start);
  const progress = freshProgress(first.values, 2 * settings.epsilon);
  const [at, gradient] = [() => tf.clone(start), () => tf.clone(first.gradient)];
  let points: Points = { current: at(), previous: at(), best: at(), gradient: gradient(), bestGradient: gradient() };
  const marks = checkpoints(settings.steps);
  for (let step = 1; step <= settings.steps; step++) {
    const before = points;
    points = tf.tidy(() => {
      const next = advance(ascent, settings, before, progress, step === 1);
      const mark = marks.indexOf(step);
      return mark < 0 ? next : goOn(next, closeStretch(progress, step - (marks[mark - 1] ?? 0)));
    });
    tf.dispose(before);
  }
  return { images: points.best, values: tf.tensor1d(Float32Array.from(progress.best)) };
}

function advance(ascent: Ascent, settings: ApgdSettings, points: Points, progress: Progress, first: boolean): Points {
  const { images } = ascent;
  const { current, previous, gradient, best, bestGradient } = points;
  const move = tf.mul(steepest(gradient, settings.norm), perSample(progress.stepSize));
  const z = intoBall(images, tf.add(current, move), settings);
  const mixed = tf.add(tf.mul(tf.sub(z, current), ALPHA), tf.mul(tf.sub(current, previous), 1 - ALPHA));
  const next = first ? z : intoBall(images, tf.add(current, mixed), settings);
  const reached = evaluate(ascent, next);
  const improved = tf.cast(perSample(note(progress, reached.values)), 'bool');
  return {
    current: next,
    previous: tf.clone(current),
    gradient: reached.gradient,
    best: tf.where(improved, next, best),
    bestGradient: tf.where(improved, reached.gradient, bestGradient),
  };
}

/** The stalled samples go on from their best point, at rest. */
function goOn({ current, previous, gradient, best, bestGradient }: Points, stalled: Uint8Array): Points {
  const back = tf.cast(perSample(stalled), 'bool');
  const where = (chosen: tf.Tensor4D, other: tf.Tensor4D) => tf.where(back, chosen, other);
  return {
    current: where(best, current),
    previous: where(best, previous),
    gradient: where(bestGradient, gradient),
    best,
    bestGradient,
  };
}

function evaluate(ascent: Ascent, x: tf.Tensor4D): { values: Float64Array; gradient: tf.Tensor4D } {
  const { joint, objective } = ascent;
  const { value, gradient } = valueAndGradient(ascent, x);
  const numbers = Float64Array.from(value.dataSync());
  value.dispose();
  requireFiniteValues(`values of ${objective}`, numbers);
  requireFinite(`gradient of ${objective} by the images`, gradient);
  return { values: joint ? Float64Array.of(numbers.reduce((a, b) => a + b, 0)) : numbers, gradient };
}

function freshProgress(values: Float64Array, stepSize: number): Progress {
  const n = values.length;
  return {
    stepSize: new Float64Array(n).fill(stepSize),
    best: Float64Array.from(values),
    last: Float64Array.from(values),
    rises: new Float64Array(n),
    bestBefore: Float64Array.from(values),
    halvedBefore: new Uint8Array(n),
  };
}

/** Takes the values of a new iterate down; 1 where they are the best so far. */
function note(progress: Progress, values: Float64Array): Uint8Array {
  return Uint8Array.from(values, (value, i) => {
    if (value > progress.last[i]) progress.rises[i]++;
    progress.last[i] = value;
    if (!(value > progress.best[i])) return 0;
    progress.best[i] = value;
    return 1;
  });
}

/** The two conditions of the paper at a checkpoint; 1 where the step was halved. */
function closeStretch(progress: Progress, length: number): Uint8Array {
  const { stepSize, best, rises, bestBefore, halvedBefore } = progress;
  const stalled = Uint8Array.from(best, (value, i) => {
    const few = rises[i] < RHO * length;
    const stuck = !halvedBefore[i] && value <= bestBefore[i];
    return few || stuck ? 1 : 0;
  });
  for (const [i, halved] of stalled.entries()) {
    if (halved) stepSize[i] /= 2;
    halvedBefore[i] = halved;
    bestBefore[i] = best[i];
    rises[i] = 0;
    if (halved) progress.last[i] = best[i];
  }
  return stalled;
}

const rule: Rule<typeof apgdSettings> = { settings: apgdSettings, ascend: apgdAscent };

export const apgdPart = attackPart('apgd', 'Auto-PGD (Croce and Hein, ICML 2020)', apgdOptions, apgd, rule);
