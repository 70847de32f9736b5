import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type AttackRun,
  type AttackSettings,
  apgd,
  carliniWagner,
  fgsm,
  miFgsm,
  mpgd,
  OBJECTIVE_NAMES,
  type Objective,
  objective,
  pgd,
  runAttack,
  square,
} from '../../src/attacks/index.js';
import { runAttackLater } from '../../src/attacks/run-attack.js';
import { suite } from '../../src/evaluation/suites/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import { attackStepTensor, chooseBackend } from '../../src/tfjs/index.js';
import { fewOf, LONG } from '../long.js';
import { INNER, meet } from './stranger.js';

const SHAPE: [number, number, number, number] = [6, 8, 8, 1];
const PIXELS = Float32Array.from(randomStream(3, 'pixels').uniforms(SHAPE.reduce((a, b) => a * b)));
const LABELS = Int32Array.of(0, 1, 2, 0, 1, 2);
const EPSILON = { linf: 0.1, l2: 1, l1: 5 };
const NORMS = ['linf', 'l2', 'l1'] as const;

/** The rules in every norm that they have, and with restarts. */
const SETTINGS: AttackSettings[] = [
  ...NORMS.flatMap((norm) => {
    const ball = { norm, epsilon: EPSILON[norm] };
    return [
      fgsm(ball),
      pgd({ ...ball, steps: 3, restarts: 2 }),
      pgd({ ...ball, steps: 3, keep: 'last' }),
      miFgsm({ ...ball, steps: 3 }),
      mpgd({ ...ball, steps: 3 }),
      apgd({ ...ball, steps: LONG ? 9 : 5, restarts: 2 }),
    ];
  }),
  carliniWagner({ epsilon: 1, steps: 5, searches: 3 }),
  square({ epsilon: 0.1, steps: 6 }),
  square({ norm: 'l2', epsilon: 1, steps: 6 }),
];

/** As fast as a test must be, and otherwise the plans of the suites. */
const PLANS = (['quick', 'standard'] as const).flatMap((name) =>
  suite(name, { epsilon: 0.1 }).map(({ objective, settings, ...plan }) => ({
    name: `${name}: ${plan.name}`,
    objective,
    settings: { ...settings, steps: Math.min(settings.steps, 3) },
  })),
);

const GOALS = [
  ...OBJECTIVE_NAMES.map((name) => objective(name)),
  ...[1, 2, 3].map((towards) => objective('retrieval', { towards })),
];

/** On the backend that tfjs has: the attacked pixels, of an attack that is read at once or later. */
async function pixelsOf(later: boolean, settings: AttackSettings, goal: Objective, more: Partial<AttackRun> = {}) {
  const model = convEmbedder({ dimension: 4, width: 2 }).build([8, 8, 1], 5);
  const images = tf.tensor4d(PIXELS.slice(), SHAPE);
  const gallery = {
    embeddings: tf.tidy(() => model.apply(images)),
    labels: LABELS,
    self: Int32Array.from(LABELS.keys()),
  };
  const centroids = tf.tensor2d(Float32Array.from(randomStream(4, 'centroids').uniforms(12)), [3, 4]);
  const own = { model, images, objective: goal, settings, labels: LABELS, centroids, gallery, seed: 2, ...more };
  const before = tf.memory().numTensors;
  try {
    const attacked = later ? await runAttackLater(own) : runAttack(own);
    expect(tf.memory().numTensors).toBe(before + 1);
    const values = await attacked.data();
    attacked.dispose();
    return values;
  } catch (error) {
    expect(tf.memory().numTensors).toBe(before);
    throw error;
  } finally {
    tf.dispose([images, gallery.embeddings, centroids]);
    model.dispose();
  }
}

afterEach(() => chooseBackend({ backend: INNER }));

const title = (s: AttackSettings) => `${s.name} in ${s.norm}, ${s.restarts} of ${s.steps}`;

describe('an attack that reads nothing at once comes to the bits of one that does', () => {
  const cases = [
    ...PLANS.map(({ name, settings, objective }) => [name, settings, objective] as const),
    ...SETTINGS.map((s) => [title(s), s, objective('centroid-margin')] as const),
    ...SETTINGS.filter(({ rule }) => rule !== 'carlini-wagner').map(
      (s) => [`${title(s)}, all together`, s, objective('joint-pairwise')] as const,
    ),
    ...GOALS.map((goal, i) => [`${goal.name} ${i}`, pgd({ epsilon: 0.1, steps: 2 }), goal] as const),
    ['restarts of what is not lost', pgd({ epsilon: 0.1, steps: 2, restarts: 3 }), objective('retrieval')] as const,
  ];
  it.each(fewOf(cases, 14))('%s', async (_, settings, goal) => {
    await meet('readable');
    const expected = await pixelsOf(false, settings, goal);
    await meet('unreadable');
    expect(await pixelsOf(true, settings, goal)).toEqual(expected);
    await chooseBackend({ backend: INNER });
    expect(await pixelsOf(true, settings, goal)).toEqual(await pixelsOf(false, settings, goal));
  });
});

it('the stranger that cannot be read at once throws where it is', async () => {
  await meet('unreadable');
  await expect(pixelsOf(false, pgd({ epsilon: 0.1, steps: 2 }), objective('proxy'))).rejects.toThrow(/read at once/);
});

describe('what an attack finds wrong is what it finds wrong at once, and nothing stays behind', () => {
  /** Values that `spoil` does something to, from the third time on. */
  const spoilt = (spoil: (values: tf.Tensor1D) => tf.Tensor1D): Objective => {
    let calls = 0;
    const values = (e: tf.Tensor2D) => {
      const sums = tf.sum<tf.Tensor1D>(e, 1);
      return calls++ < 2 ? sums : spoil(sums);
    };
    return { name: 'spoilt', joint: false, flatAtStart: false, bind: () => values };
  };
  const third = () => tf.tensor1d([0, 0, Infinity, 0, 0, 0]);
  const value = () => spoilt((sums) => tf.add(sums, third()));
  const gradient = () =>
    spoilt(
      (sums) =>
        tf.customGrad((x) => ({
          value: tf.clone(x as tf.Tensor),
          gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.sub(1, tf.mul(third(), Number.NaN))),
        }))(sums) as tf.Tensor1D,
    );
  const pixel = (at: number) => {
    const values = PIXELS.slice();
    values[200] = at;
    return { images: tf.tensor4d(values, SHAPE) };
  };
  const failing = (later: boolean, ...args: [AttackSettings, Objective, Partial<AttackRun>?]) =>
    pixelsOf(later, ...args).then(
      () => 'nothing',
      ({ code, message }) => `${code} ${message}`,
    );

  const several = SETTINGS.filter(({ steps }) => steps > 1);
  it.each(fewOf(several, 4).map((s) => [title(s), s] as const))('a value: %s', async (_, settings) => {
    await meet('readable');
    const expected = await failing(false, settings, value());
    expect(expected).toMatch(
      /^ERR_NOT_FINITE Expected finite values of the objective spoilt but received (Infinity|NaN) in row 2/,
    );
    await meet('unreadable');
    expect(await failing(true, settings, value())).toBe(expected);
  });

  const byGradient = several.filter(({ rule }) => rule !== 'square');
  it.each(fewOf(byGradient, 4).map((s) => [title(s), s] as const))('a gradient: %s', async (_, settings) => {
    await meet('readable');
    const expected = await failing(false, settings, gradient());
    expect(expected).toMatch(/^ERR_NOT_FINITE .*gradient/);
    await meet('unreadable');
    expect(await failing(true, settings, gradient())).toBe(expected);
  });

  it.each([
    [Number.NaN, /^ERR_NOT_FINITE Expected finite pixels in images but received NaN in image 3/],
    [1.5, /^ERR_ARGUMENT Expected pixels in \[0, 1\] in images but received 1.5 in image 3/],
  ])('a pixel of %s', async (at, message) => {
    await meet('unreadable');
    const bad = pixel(at);
    expect(await failing(true, pgd({ epsilon: 0.1, steps: 2 }), objective('proxy'), bad)).toMatch(message);
    bad.images.dispose();
  });
});

describe('a step by operations, where the kernel’s memory is not the device’s', () => {
  const random = randomStream(9, 'steps');
  const [rows, cols] = [20, 30];
  const values = (of: () => number) => Float32Array.from({ length: rows * cols }, of);
  // Rows in the middle of the box, and at its edges; gradients from tiny to large.
  const origin = values(() => Math.min(1, Math.max(0, 1.4 * random.uniform() - 0.2)));
  const current = origin.map((x) => Math.min(1, Math.max(0, x + 0.05 * random.normal())));
  const gradient = values(() => random.normal()).map((g, i) => g * 10 ** ((i % rows) - 10));
  const step = async (
    settings: { norm: 'linf' | 'l2' | 'l1'; epsilon: number; stepSize: number },
    box?: [number, number],
  ) => {
    const tensors = [origin, current, gradient].map((x) => tf.tensor2d(x.slice(), [rows, cols]));
    const moved = attackStepTensor({ origin: tensors[0], current: tensors[1], gradient: tensors[2], ...settings, box });
    const found = await moved.data<'float32'>();
    tf.dispose([moved, ...tensors]);
    return found;
  };
  const cases = NORMS.flatMap((norm) =>
    [0, 0.01, EPSILON[norm] / 3].flatMap((epsilon) =>
      [0, 0.5, 20].map((stepSize) => [norm, epsilon, stepSize] as const),
    ),
  );
  it.each(cases)('%s, radius %d, step %d: near the kernel’s, inside ball and box', async (norm, epsilon, stepSize) => {
    for (const box of [[0, 1] as [number, number], undefined]) {
      await chooseBackend({ backend: 'cpu' });
      const expected = await step({ norm, epsilon, stepSize }, box);
      await meet('readable');
      const found = await step({ norm, epsilon, stepSize }, box);
      for (const [i, value] of found.entries()) {
        expect(Math.abs(value - expected[i])).toBeLessThan(3e-5 * (1 + epsilon));
        if (box) expect(value >= 0 && value <= 1).toBe(true);
      }
      for (let row = 0; row < rows; row++) {
        const moves = Array.from({ length: cols }, (_, j) => Math.abs(found[row * cols + j] - origin[row * cols + j]));
        const sizes = { linf: Math.max(...moves), l2: Math.hypot(...moves), l1: moves.reduce((a, b) => a + b) };
        expect(sizes[norm]).toBeLessThanOrEqual(epsilon);
      }
    }
  });
});
