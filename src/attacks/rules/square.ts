import { z } from 'zod';
import * as tf from '#tf';
import { count, parseOptions } from '../../options.js';
import type { RandomStream } from '../../random.js';
import { type Reading, readNow, tidied } from '../../tfjs/index.js';
import type { Ascent } from '../ascent.js';
import { intoBall } from '../ball.js';
import { type Candidate, perSample } from '../candidate.js';
import { requireFiniteValues } from '../finite.js';
import { checkRadius } from '../norm.js';
import { ball, commonSettings } from './common.js';
import { attackPart, type Rule } from './rule.js';
import { firstPyramids, l2Side, moveMass } from './square-l2.js';

/** There is no Square attack in l1. */
const norm = z.enum(['linf', 'l2'], 'linf or l2 for the square attack');
const SHARE = 'a share of the image in (0, 1]';
const share = z.number(SHARE).gt(0, SHARE).max(1, SHARE).describe('share of the image that the first squares cover');

/** Random squares, kept where they raise the objective; no gradients: `square`. */
export const squareSettings = z.strictObject({ ...commonSettings, norm, rule: z.literal('square'), share });

/** The settings of {@link square} with every default filled in. */
export type SquareSettings = Readonly<z.infer<typeof squareSettings>>;

export const squareOptions = z
  .strictObject({
    ...ball,
    norm: norm.default('linf').describe('of the ball that the perturbation is kept in'),
    steps: count.default(500).describe('queries'),
    share: share.default(0.8),
    restarts: count.default(1).describe('independent runs of which the best is kept'),
  })
  .check(checkRadius);

/** Options of {@link square}. `epsilon` is in [0, 1] pixel units. */
export type SquareOptions = z.input<typeof squareOptions>;

/**
 * Square attack (Andriushchenko et al., ECCV 2020): black-box random search. The first squares cover 0.8 of the image, as in
 * AutoAttack: in 500 queries on small networks of 28 x 28 pixels that finds more than 0.3, 0.1 and 0.05 do in linf, and as
 * much in l2.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function square(options: SquareOptions): SquareSettings {
  const { norm, epsilon, steps, share, restarts } = parseOptions(squareOptions, options);
  return { name: 'square', norm, epsilon, steps, randomStart: true, restarts, rule: 'square', share };
}

/** One perturbation, [h, w, c] row-major, and its shape. */
export interface Patchwork {
  delta: Float32Array;
  shape: readonly [h: number, w: number, c: number];
}

/**
 * Square attack (Andriushchenko et al., 2020): one random square per step and image, kept where it raises the objective.
 * linf: start from vertical stripes of +-epsilon, squares of +-epsilon; l2: see square-l2.ts. Sees values only.
 * Adapted: every image draws its own squares, which reach the last row and column, where those of the authors' code stop one
 * short; an image is searched for as long as its value rises, not until it is misclassified.
 */
export function squareSearch(ascent: Ascent, settings: SquareSettings): Candidate {
  return readNow(search(ascent, settings));
}

function* search(ascent: Ascent, settings: SquareSettings): Reading<Candidate> {
  const { images, random } = ascent;
  const [n, h, w, c] = images.shape;
  const size = h * w * c;
  const deltas = new Float32Array(n * size);
  for (let i = 0; i < n; i++) {
    const patch = { delta: deltas.subarray(i * size, (i + 1) * size), shape: [h, w, c] as const };
    if (settings.norm === 'linf') stripes(patch, settings.epsilon, random);
    else firstPyramids(patch, settings.epsilon, random);
  }
  const clean = settings.norm === 'l2' ? yield images : undefined;
  if (clean) cutToBox(deltas, clean);
  let current = tf.tidy(() => moved(ascent, settings, deltas));
  const best = yield* valuesAt(ascent, current);
  for (let step = 0; step < settings.steps; step++) {
    const side = squareSide(settings, step, h, w);
    const tried = Float32Array.from(deltas);
    for (let i = 0; i < n; i++) {
      const patch = { delta: tried.subarray(i * size, (i + 1) * size), shape: [h, w, c] as const };
      if (settings.norm === 'linf') paint(patch, side, settings.epsilon, random);
      else moveMass(patch, side, settings.epsilon, random);
    }
    if (clean) cutToBox(tried, clean);
    const before = current;
    current = yield* tidied(() => keepRises(ascent, settings, before, { deltas, tried, best }));
    before.dispose();
  }
  return { images: current, values: tf.tensor1d(Float32Array.from(best)) };
}

/** What is left of perturbations of the `clean` values, of which an update in l2 must know what is lost. */
function cutToBox(deltas: Float32Array, clean: ArrayLike<number>): void {
  for (let i = 0; i < deltas.length; i++) deltas[i] = Math.min(Math.max(deltas[i], -clean[i]), 1 - clean[i]);
}

interface Trial {
  deltas: Float32Array;
  tried: Float32Array;
  best: Float64Array;
}

function* keepRises(
  ascent: Ascent,
  settings: SquareSettings,
  current: tf.Tensor4D,
  { deltas, tried, best }: Trial,
): Reading<tf.Tensor4D> {
  const candidate = moved(ascent, settings, tried);
  const size = deltas.length / candidate.shape[0];
  const wins = Uint8Array.from(yield* valuesAt(ascent, candidate), (value, i) => {
    if (!(value > best[i])) return 0;
    best[i] = value;
    return 1;
  });
  if (wins.length === 1) {
    if (wins[0]) deltas.set(tried);
  } else {
    for (const [i, won] of wins.entries()) {
      if (won) deltas.set(tried.subarray(i * size, (i + 1) * size), i * size);
    }
  }
  return tf.where(tf.cast(perSample(wins), 'bool'), candidate, current) as tf.Tensor4D;
}

function moved({ images }: Ascent, settings: SquareSettings, deltas: Float32Array): tf.Tensor4D {
  return intoBall(images, tf.add(images, tf.tensor4d(deltas, images.shape)), settings);
}

function* valuesAt({ values, joint, objective }: Ascent, x: tf.Tensor4D): Reading<Float64Array> {
  const value = tf.tidy(() => values(x));
  const numbers = Float64Array.from(yield value);
  value.dispose();
  requireFiniteValues(`values of ${objective}`, numbers);
  return joint ? Float64Array.of(numbers.reduce((a, b) => a + b, 0)) : numbers;
}

/** Side of the squares: their share of the image halves at the published shares of the steps. */
export function squareSide({ norm, share, steps }: SquareSettings, step: number, h: number, w: number): number {
  const at = Math.trunc((step / steps) * 10_000);
  const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((mark) => at > mark).length;
  const side = Math.max(1, Math.round(Math.sqrt((share / 2 ** halvings) * h * w)));
  return norm === 'l2' ? l2Side(side, h, w) : Math.min(side, Math.max(1, Math.min(h, w) - 1));
}

function stripes({ delta, shape: [h, w, c] }: Patchwork, epsilon: number, random: RandomStream): void {
  for (let x = 0; x < w; x++) {
    for (let k = 0; k < c; k++) {
      const value = random.uniform() < 0.5 ? -epsilon : epsilon;
      for (let y = 0; y < h; y++) delta[(y * w + x) * c + k] = value;
    }
  }
}

function paint({ delta, shape: [h, w, c] }: Patchwork, side: number, epsilon: number, random: RandomStream): void {
  const [top, left] = [random.integer(h - side + 1), random.integer(w - side + 1)];
  for (let k = 0; k < c; k++) {
    const value = random.uniform() < 0.5 ? -epsilon : epsilon;
    for (let y = top; y < top + side; y++) {
      for (let x = left; x < left + side; x++) delta[(y * w + x) * c + k] = value;
    }
  }
}

const rule: Rule<typeof squareSettings> = { settings: squareSettings, ascend: search };

export const squarePart = attackPart(
  'square',
  'black-box random search in linf and l2 (Andriushchenko et al., ECCV 2020)',
  squareOptions,
  square,
  rule,
);
