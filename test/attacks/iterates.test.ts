import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackSettings,
  apgd,
  fgsm,
  miFgsm,
  mpgd,
  type Objective,
  pgd,
  runAttack,
} from '../../src/attacks/index.js';

/** A problem of a few pixels: the embedding is the image, the objective a function with a known gradient. */
interface Problem {
  value(x: number[]): number;
  gradient(x: number[]): number[];
}

/** -Σ w_i (x_i - c_i)² - k x_0 x_1. */
const valley = (weights: number[], centre: number[], cross = 0): Problem => ({
  value: (x) => -x.reduce((sum, v, i) => sum + weights[i] * (v - centre[i]) ** 2, 0) - cross * x[0] * x[1],
  gradient: (x) => x.map((v, i) => -2 * weights[i] * (v - centre[i]) - (i < 2 ? cross * x[1 - i] : 0)),
});

/** The same to tfjs; `seen` takes down every point that is looked at. */
function objectiveOf(weights: number[], centre: number[], cross = 0, seen: number[][] = []): Objective {
  return {
    ...{ name: 'valley', joint: false, flatAtStart: false },
    bind: () => (e) => {
      seen.push(Array.from(e.dataSync()));
      const squares = tf.sum(tf.mul(tf.square(tf.sub(e, tf.tensor1d(centre))), tf.tensor1d(weights)), 1);
      if (cross === 0) return tf.neg(squares) as tf.Tensor1D;
      const product = tf.mul(tf.slice(e, [0, 0], [-1, 1]), tf.slice(e, [0, 1], [-1, 1]));
      return tf.sub(tf.neg(squares), tf.mul(tf.sum(product, 1), cross)) as tf.Tensor1D;
    },
  };
}

function attack(x: number[], objective: Objective, settings: AttackSettings, start?: number[], channels = 1): number[] {
  const shape = [1, 1, x.length / channels, channels] as [number, number, number, number];
  const model = { apply: (images: tf.Tensor4D) => tf.reshape(images, [-1, x.length]) as tf.Tensor2D };
  const run = { model, images: tf.tensor4d(x, shape), objective, settings, seed: 1 };
  return Array.from(runAttack({ ...run, start: start && tf.tensor4d(start, shape) }).dataSync());
}

const expectClose = (actual: number[], expected: number[], digits = 5) => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i], digits);
};
const last = { keep: 'last', randomStart: false } as const;

beforeAll(() => tf.setBackend('cpu'));

describe('steps of one length', () => {
  const far = objectiveOf([1, 1], [9, -9]);

  it('PGD’s are 2.5 epsilon / steps, MI-FGSM’s epsilon / steps, FGSM’s epsilon', () => {
    expect(pgd({ epsilon: 0.2, steps: 10 }).stepSize).toBeCloseTo(0.05, 12);
    expect(miFgsm({ epsilon: 0.2 }).stepSize).toBeCloseTo(0.02, 12);
    expectClose(attack([0.5, 0.5], far, fgsm({ epsilon: 0.2 })), [0.7, 0.3]);
    expectClose(attack([0.5, 0.5], far, pgd({ epsilon: 0.2, steps: 4, stepSize: 0.03, ...last })), [0.62, 0.38]);
    // Clipped by the ball, then by the box.
    expectClose(attack([0.9, 0.5], far, pgd({ epsilon: 0.2, steps: 10, ...last })), [1, 0.3]);
  });

  it('in l2 a step goes along the gradient, of its length', () => {
    const slope = objectiveOf([1, 1], [3.5, -3.5]);
    const settings = pgd({ norm: 'l2', epsilon: 1, steps: 1, stepSize: 0.1, ...last });
    // Gradient (2 (3.5 - 0.5), -2 (3.5 + 0.1)) = (6, -7.2).
    const length = Math.hypot(6, 7.2);
    expectClose(
      attack([0.5, 0.1 + 0.0], slope, settings),
      [0.5 + 0.6 / length, 0.1 - 0.72 / length].map((v) => v),
    );
  });

  it.each([1, 4])(
    'in l1 a step is shared out equally among the largest twentieth of the gradient, of %i channels',
    (channels) => {
      const weights = Array.from({ length: 40 }, (_, i) => 1 + ((7 * i) % 40));
      const slopes = objectiveOf(weights, new Array(40).fill(5));
      const settings = pgd({ norm: 'l1', epsilon: 2, steps: 1, stepSize: 0.3, ...last });
      const moved = attack(new Array(40).fill(0.5), slopes, settings, undefined, channels);
      // Two of forty: the weights 40 and 39.
      const expected = weights.map((weight) => (weight > 38 ? 0.65 : 0.5));
      expectClose(moved, expected);
    },
  );

  it('in l1 pixels that the box holds get no share of the step', () => {
    const [x, centre] = [new Array(40).fill(0.5), new Array(40).fill(5)];
    // The two largest of the gradient point out of the box, the third lies at the edge and comes in.
    [x[39], x[38], x[37]] = [1, 0, 1];
    [centre[38], centre[37]] = [-4, -3];
    const weights = Array.from({ length: 40 }, (_, i) => (i === 37 ? 50 : i > 37 ? 100 : 1 + i));
    const settings = pgd({ norm: 'l1', epsilon: 2, steps: 1, stepSize: 0.3, ...last });
    const expected = x.map((v, i) => (i === 37 ? 0.85 : i === 36 ? 0.65 : v));
    expectClose(attack(x, objectiveOf(weights, centre), settings), expected);
  });

  it('MI-FGSM accumulates gradients over their mean absolute value, the old ones decayed', () => {
    const [weights, centre] = [
      [1, 3],
      [0.9, 0.2],
    ];
    const { gradient } = valley(weights, centre);
    const [momentum, stepSize] = [0.5, 0.05];
    let [x, velocity] = [
      [0.5, 0.5],
      [0, 0],
    ];
    for (let t = 0; t < 4; t++) {
      const g = gradient(x);
      const size = (Math.abs(g[0]) + Math.abs(g[1])) / 2;
      velocity = velocity.map((v, i) => momentum * v + g[i] / size);
      x = x.map((v, i) => v + (stepSize * velocity[i]) / Math.hypot(...velocity));
    }
    const settings = miFgsm({ norm: 'l2', epsilon: 1, steps: 4, stepSize, momentum, keep: 'last' });
    expectClose(attack([0.5, 0.5], objectiveOf(weights, centre), settings), x);
  });

  const accumulating = { norm: 'l2', epsilon: 1, steps: 4, stepSize: 0.05, momentum: 0.5 } as const;
  it.each([
    ['MI-FGSM', miFgsm(accumulating)],
    ['momentum PGD', { ...mpgd(accumulating), randomStart: false }],
  ])('%s takes each image of a batch where it goes alone', (_, settings) => {
    // Their gradients change by other factors along the way: a mean over both would weigh old against new otherwise.
    const pair = [
      [0.5, 0.5],
      [0.8, 0.3],
    ];
    const hill = objectiveOf([1, 3], [0.9, 0.2]);
    const model = { apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, 2]) as tf.Tensor2D };
    const images = tf.tensor4d(pair.flat(), [2, 1, 2, 1]);
    const together = runAttack({ model, images, objective: hill, settings, seed: 1 });
    expectClose(
      Array.from(together.dataSync()),
      pair.flatMap((x) => attack(x, hill, settings)),
    );
  });
});

/** Auto-PGD of one image in linf, written down from the published code, our first comparison in it: every iterate. */
function plainApgd({ value, gradient }: Problem, origin: number[], start: number[], epsilon: number, marks: number[]) {
  const clip = (x: number[]) => x.map((v, i) => Math.min(Math.max(v, origin[i] - epsilon, 0), origin[i] + epsilon, 1));
  let [eta, x, before, best] = [2 * epsilon, start, start, start];
  let [rises, halved, bestThen, from] = [0, true, value(start), 0];
  const points = [start];
  let [halvings, last] = [0, value(start)];
  for (let k = 1; k <= marks.at(-1)!; k++) {
    const z = clip(x.map((v, i) => v + eta * Math.sign(gradient(x)[i])));
    const mixed = clip(x.map((v, i) => v + 0.75 * (z[i] - v) + 0.25 * (v - before[i])));
    const next = k === 1 ? z : mixed;
    points.push(next);
    if (value(next) > last) rises++;
    last = value(next);
    [before, x] = [x, next];
    if (value(x) > value(best)) best = x;
    if (!marks.includes(k)) continue;
    const stalled = rises <= 0.75 * (k - from) || (!halved && value(best) <= bestThen);
    if (stalled) {
      halvings++;
      eta /= 2;
      x = best;
    }
    [halved, bestThen, rises, from] = [stalled, value(best), 0, k];
  }
  return { points, best, halvings };
}

describe('apgd', () => {
  // 22% of 30 steps, then no fewer than 6% and no more than 3% fewer than before, rounded down: 6, 5, 4, 3, 2, 1, ...
  const marks = [6, 11, 15, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30];

  it.each([
    ['a round hill', [1, 1], [0.53, 0.48], 0],
    ['a narrow ridge', [1, 30], [0.58, 0.47], 0],
    ['a ridge across the axes', [1, 1.2], [0.55, 0.51], 1.8],
    ['a slope to the corner', [1, 2], [4, -3], 0],
    ['a hill beyond one side', [1, 5], [0.9, 0.493], 0.3],
  ] as const)('visits the iterates of the published algorithm on %s', (_, w, c, cross) => {
    const [weights, centre, origin, start] = [[...w], [...c], [0.5, 0.5], [0.46, 0.57]];
    const plain = plainApgd(valley(weights, centre, cross), origin, start, 0.1, marks);
    expect(plain.halvings).toBeGreaterThan(0);
    const seen: number[][] = [];
    const reached = attack(origin, objectiveOf(weights, centre, cross, seen), apgd({ epsilon: 0.1, steps: 30 }), start);
    expect(seen.length).toBe(31);
    for (const [k, point] of seen.entries()) expectClose(point, plain.points[k], 4);
    expectClose(reached, plain.best, 4);
  });
});
