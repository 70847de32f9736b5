import { z } from 'zod';
import * as tf from '#tf';
import { count, nonNegative, parseOptions } from '../../options.js';
import { type Reading, tidied } from '../../tfjs/index.js';
import type { Ascent } from '../ascent.js';
import { intoBall } from '../ball.js';
import { type Candidate, perSample } from '../candidate.js';
import { requireFinite, valueAndGradient } from '../finite.js';
import { radius } from '../norm.js';
import { commonSettings } from './common.js';
import { attackPart, type Rule } from './rule.js';

const confidence = z.number('a finite number');

/** The shortest perturbation that lifts the objective above `confidence`: `carliniWagner`. */
export const carliniWagnerSettings = z.strictObject({
  ...commonSettings,
  rule: z.literal('carlini-wagner'),
  learningRate: nonNegative,
  searches: count.describe('for the weight of the objective against length'),
  confidence,
});

/** The settings of {@link carliniWagner} with every default filled in. */
export type CarliniWagnerSettings = Readonly<z.infer<typeof carliniWagnerSettings>>;

export const carliniWagnerOptions = z.strictObject({
  epsilon: radius.describe('perturbations longer than this (l2) are cut to it'),
  steps: count.default(50).describe('of the optimiser, per search'),
  searches: count.default(4).describe('for the weight of the objective against length'),
  learningRate: nonNegative.default(0.05).describe('of Adam in tanh space'),
  confidence: confidence.default(0).describe('the objective counts as reached above this value'),
});

/** Options of {@link carliniWagner}. `epsilon` is in [0, 1] pixel units. */
export type CarliniWagnerOptions = z.input<typeof carliniWagnerOptions>;

/**
 * Carlini and Wagner's l2 attack (2017) on an objective: Adam on |delta|² + c max(confidence - objective, 0) in tanh
 * space, c searched by halving and tenfolding. Made for objectives with a boundary at 0 (`centroid-margin`).
 * Adapted: c begins at 1, as few searches must do; what is found is cut to the ball.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function carliniWagner(options: CarliniWagnerOptions): CarliniWagnerSettings {
  const { epsilon, steps, searches, learningRate, confidence } = parseOptions(carliniWagnerOptions, options);
  const common = { name: 'cw', norm: 'l2', epsilon, steps, randomStart: false, restarts: 1 } as const;
  return { ...common, rule: 'carlini-wagner', learningRate, searches, confidence };
}

const BETA1 = 0.9;
const BETA2 = 0.999;
/** Keeps atanh finite at black and white pixels. */
const INSIDE = 1 - 1e-6;
const FIRST_WEIGHT = 1;

/** Per sample: the weight c of the objective, its bounds, and the shortest success so far. */
interface Search {
  weight: Float64Array;
  low: Float64Array;
  high: Float64Array;
  shortest: Float64Array;
}

/**
 * Carlini and Wagner (2017), l2: x' = (tanh(w) + 1) / 2 with Adam on w minimises |x' - x|² + c max(kappa - f(x'), 0);
 * c grows tenfold until f exceeds kappa, then is halved between its bounds. Returns the shortest success of each
 * sample, cut to the ball; where there is none, the last point, which the ball cuts as well.
 */
export function* carliniWagnerAscent(ascent: Ascent, settings: CarliniWagnerSettings): Reading<Candidate> {
  const { images, values } = ascent;
  const n = images.shape[0];
  tf.tidy(() => checkStart(ascent));
  const search: Search = {
    weight: new Float64Array(n).fill(FIRST_WEIGHT),
    low: new Float64Array(n),
    high: new Float64Array(n).fill(Infinity),
    shortest: new Float64Array(n).fill(Infinity),
  };
  let best = tf.clone(images);
  for (let round = 0; round < settings.searches; round++) {
    const before = best;
    best = yield* tidied(() => searchOnce(ascent, settings, search, before));
    before.dispose();
  }
  const cut = intoBall(images, best, settings);
  return { images: cut, values: values(cut) };
}

/** The loss below has a gradient by the length alone, also where the objective has none. */
function checkStart(ascent: Ascent): void {
  const { value, gradient } = valueAndGradient(ascent, ascent.images);
  requireFinite(`values of ${ascent.objective}`, value);
  requireFinite(`gradient of ${ascent.objective} by the images`, gradient);
}

function* searchOnce(
  ascent: Ascent,
  settings: CarliniWagnerSettings,
  search: Search,
  kept: tf.Tensor4D,
): Reading<tf.Tensor4D> {
  const { images } = ascent;
  const reached = new Uint8Array(images.shape[0]);
  let best = tf.clone(kept);
  let w = tf.tidy(() => tf.atanh(tf.mul(tf.sub(tf.mul(images, 2), 1), INSIDE)) as tf.Tensor4D);
  let [first, second]: tf.Tensor4D[] = [tf.zerosLike(w), tf.zerosLike(w)];
  for (let step = 1; step <= settings.steps; step++) {
    const old = [w, first, second, best];
    [w, first, second, best] = yield* tidied(function* () {
      const { gradient, values } = lossAt(ascent, settings, search.weight, w);
      const moment1 = tf.add<tf.Tensor4D>(tf.mul(first, BETA1), tf.mul(gradient, 1 - BETA1));
      const moment2 = tf.add<tf.Tensor4D>(tf.mul(second, BETA2), tf.mul(tf.square(gradient), 1 - BETA2));
      const size = (settings.learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step);
      const next = tf.sub<tf.Tensor4D>(w, tf.mul(tf.div(moment1, tf.add(tf.sqrt(moment2), 1e-8)), size));
      const iterate = { images: pixels(w), values };
      return [next, moment1, moment2, yield* shorter(ascent, settings, search, reached, iterate, best)];
    });
    tf.dispose(old);
  }
  adjustWeights(search, reached);
  return tf.where(tf.cast(perSample(search.shortest.map((d) => (d < Infinity ? 1 : 0))), 'bool'), best, pixels(w));
}

function pixels(w: tf.Tensor4D): tf.Tensor4D {
  return tf.div(tf.add(tf.tanh(w), 1), 2);
}

/** The gradient of what a search lowers, and the objective on the way there. */
function lossAt(
  { images, values, objective }: Ascent,
  { confidence }: CarliniWagnerSettings,
  weight: Float64Array,
  w: tf.Tensor4D,
) {
  const weights = tf.tensor1d(Float32Array.from(weight));
  let reached: tf.Tensor1D | undefined;
  const loss = (at: tf.Tensor4D) => {
    const x = pixels(at);
    const value = values(x);
    reached = tf.keep(tf.clone(value));
    const length = tf.sum(tf.squaredDifference(x, images));
    const missing = tf.sum(tf.mul(tf.relu(tf.sub(confidence, value)), weights));
    return tf.reshape(tf.add(length, missing), [1]) as tf.Tensor1D;
  };
  try {
    const { gradient } = valueAndGradient({ values: loss, objective }, w);
    // Not in the loss: tfjs would keep what it had saved for the way back.
    requireFinite(`values of ${objective}`, reached!);
    requireFinite(`gradient of ${objective} by the images`, gradient);
    return { gradient, values: tf.clone(reached!) };
  } finally {
    reached?.dispose();
  }
}

/** The shorter success of each sample: this iterate, or the one kept. */
function* shorter(
  { images }: Ascent,
  { confidence }: CarliniWagnerSettings,
  search: Search,
  reached: Uint8Array,
  iterate: { images: tf.Tensor4D; values: tf.Tensor1D },
  best: tf.Tensor4D,
): Reading<tf.Tensor4D> {
  const lengths = tf.sqrt<tf.Tensor1D>(tf.sum(tf.squaredDifference(iterate.images, images), [1, 2, 3]));
  const read = yield tf.concat1d([iterate.values, lengths]);
  const [values, distances] = [read.subarray(0, lengths.size), read.subarray(lengths.size)];
  const wins = Uint8Array.from(values, (value, i) => {
    if (!(value > confidence)) return 0;
    reached[i] = 1;
    if (distances[i] >= search.shortest[i]) return 0;
    search.shortest[i] = distances[i];
    return 1;
  });
  return tf.where(tf.cast(perSample(wins), 'bool'), iterate.images, best);
}

function adjustWeights({ weight, low, high }: Search, reached: Uint8Array): void {
  for (const [i, success] of reached.entries()) {
    if (success) high[i] = weight[i];
    else low[i] = weight[i];
    weight[i] = high[i] < Infinity ? (low[i] + high[i]) / 2 : weight[i] * 10;
  }
}

const rule: Rule<typeof carliniWagnerSettings> = {
  settings: carliniWagnerSettings,
  ascend: carliniWagnerAscent,
  searches: ({ searches }) => searches,
  perSample: true,
};

export const carliniWagnerPart = attackPart(
  'cw',
  'Carlini and Wagner (S&P 2017), l2: the shortest perturbation that succeeds',
  carliniWagnerOptions,
  carliniWagner,
  rule,
);
