import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AttackRun, AttackSettings } from '../../src/attacks/index.js';
import { datasetFromArrays, sourceOf } from '../../src/data/index.js';
import { type SanitySetting, sanityChecks } from '../../src/evaluation/sanity/checks.js';
import { spreadOf } from '../../src/evaluation/sanity/spread.js';

/** The margin that each of the 48 images has after an attack of these settings: attacks are stood in for by what they reach. */
let reached: (settings: AttackSettings, image: number) => number;
const made: AttackSettings[] = [];
const attacked: number[] = [];
const goals: string[] = [];

vi.mock('../../src/attacks/run-attack.js', async (original) => ({
  ...(await original<typeof import('../../src/attacks/run-attack.js')>()),
  async runAttackLater({ settings, images, objective }: AttackRun) {
    goals.push(objective.name);
    if (objective.name === 'centroid-margin') made.push(settings);
    attacked.push(images.shape[0]);
    const pixels = Array.from({ length: COUNT }, (_, i) => (reached(settings, i) + 1) / 2);
    return tf.tensor4d(pixels, [COUNT, 1, 1, 1]);
  },
}));

const COUNT = 48;
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
const data = sourceOf(datasetFromArrays({ images: new Uint8Array(COUNT).fill(128), labels, shape: [1, 1, 1] }));
/** Wide enough in two directions. */
const cross = (a: number, b: number) => {
  const [x, y] = [Math.sqrt(a), Math.sqrt(b)];
  return { data: Float32Array.of(x, 0, -x, 0, 0, y, 0, -y), rows: 4, cols: 2 };
};

/** Embeds a pixel p of class 0 at (-m, m) / 4, of class 1 at (m, -m) / 4, m = 2 p - 1: its margin to (1, 0) and (0, 1) is m. */
function setting(more: Partial<SanitySetting> = {}, dead = 0, clean = cross(1, 1)): SanitySetting {
  const signs = tf.tensor2d(Array.from(labels, (label) => (label === 0 ? [-0.25, 0.25] : [0.25, -0.25])));
  const alive = tf.tensor2d(Array.from(labels, (_, i) => [i < dead ? 0 : 1]));
  const apply = (x: tf.Tensor4D) =>
    tf.mul(signs, tf.mul(alive, tf.sub(tf.mul(tf.reshape(x, [-1, 1]), 2), 1))) as tf.Tensor2D;
  const centroids = tf.tensor2d([1, 0, 0, 1], [2, 2]);
  const means = { data: Float32Array.of(1, 0, 0, 1), rows: 2, cols: 2 };
  // Of retrieval its value is the margin once more: own images lie at (1, -1), others at (-1, 1), or the other way round.
  const gallery = tf.tensor2d(Array.from(labels, (label) => (label === 0 ? [1, -1] : [-1, 1])));
  const context = { labels, centroids, means, clean, gallery };
  const fixed = { ensemble: { apply }, differentiable: true, data, context, seed: 1 };
  return { ...fixed, norm: 'linf', epsilon: 0.1, ...more };
}

const check = async (name: string, of = setting()) => (await sanityChecks(of)).find((found) => found.name === name)!;

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => {
  made.length = 0;
  reached = () => 0.5;
});

describe('sanity checks, at their thresholds', () => {
  it('attack with 5 and 20 steps, twice the radius, the whole box and 100 squares', async () => {
    const checks = await sanityChecks(setting());
    expect(checks.map(({ passed }) => passed)).toEqual([true, true, true, true, true, true]);
    expect(made.map(({ name, steps, epsilon }) => [name, steps, epsilon])).toEqual([
      ['pgd', 5, 0.1],
      ['pgd', 20, 0.1],
      ['pgd', 20, 0.2],
      ['pgd', 30, 1],
      ['square', 100, 0.1],
    ]);
  });

  it('attack retrieval likewise, but for the whole box, and fail by it alone', async () => {
    goals.length = 0;
    const { context } = setting();
    const checks = await sanityChecks(setting());
    expect(checks.every(({ passed }) => passed)).toBe(true);
    expect(goals.filter((goal) => goal === 'retrieval').length).toBe(4);
    // With the gallery turned round, what raises the margin a little lowers retrieval.
    reached = ({ steps }) => (steps === 20 ? 0.6 : 0.5);
    const turned = setting({ context: { ...context, gallery: tf.neg(context.gallery) as tf.Tensor2D } });
    const found = await check('more-steps', turned);
    expect(found.passed).toBe(false);
    expect(found.detail).toMatch(/centroid-margin 0\.500 at 5 steps, 0\.600 at 20 steps; retrieval/);
  });

  it('attack 48 images of a larger set', async () => {
    attacked.length = 0;
    const many = Int32Array.from({ length: 60 }, (_, i) => i % 2);
    const larger = sourceOf(datasetFromArrays({ images: new Uint8Array(60), labels: many, shape: [1, 1, 1] }));
    const { context } = setting();
    const gallery = tf.zeros([60, 2]) as tf.Tensor2D;
    await sanityChecks(setting({ data: larger, context: { ...context, labels: many, gallery } }));
    expect(attacked).toEqual(Array(9).fill(48));
  });

  it('twice the radius is no more than the whole box, which is as long as the norm has it', async () => {
    await sanityChecks(setting({ epsilon: 0.8 }));
    expect(made[2].epsilon).toBe(1);
    const rgb = sourceOf(datasetFromArrays({ images: new Uint8Array(COUNT * 12), labels, shape: [2, 2, 3] }));
    const pooled = (x: tf.Tensor4D) => setting().ensemble.apply(tf.slice(x, [0, 0, 0, 0], [-1, 1, 1, 1]));
    for (const [norm, epsilon] of [
      ['l2', Math.sqrt(12)],
      ['l1', 12],
    ] as const) {
      made.length = 0;
      await sanityChecks(setting({ norm, data: rgb, epsilon: 0.5, ensemble: { apply: pooled } }));
      expect(made[3].epsilon).toBeCloseTo(epsilon, 10);
    }
  });

  it.each([
    ['more-steps', 0.49, true, ({ steps }: AttackSettings) => steps === 20],
    ['more-steps', 0.488, false, ({ steps }: AttackSettings) => steps === 20],
    ['more-epsilon', 0.49, true, ({ epsilon }: AttackSettings) => epsilon === 0.2],
    ['more-epsilon', 0.488, false, ({ epsilon }: AttackSettings) => epsilon === 0.2],
    ['black-box', 0.51, true, ({ name }: AttackSettings) => name === 'square'],
    ['black-box', 0.512, false, ({ name }: AttackSettings) => name === 'square'],
  ] as const)('%s: %d beside 0.5, where 0.011 are allowed, passes: %s', async (name, value, passed, which) => {
    reached = (settings) => (which(settings) ? value : 0.5);
    expect((await check(name)).passed).toBe(passed);
  });

  it('at a margin near 0 a thousandth is allowed', async () => {
    for (const [value, passed] of [
      [-0.0009, true],
      [-0.0011, false],
    ] as const) {
      reached = ({ steps }) => (steps === 20 ? value : 0);
      expect((await check('more-steps')).passed).toBe(passed);
    }
  });

  it('whole-box: up to a tenth above chance may be nearest to their own mean', async () => {
    // Chance is a half: 28 of 48 are 58%, 29 are 60.4%.
    for (const [own, passed] of [
      [28, true],
      [29, false],
    ] as const) {
      reached = (settings, image) => (settings.steps === 30 && image < own ? -0.5 : 0.5);
      expect(await check('whole-box')).toMatchObject({ passed, detail: expect.stringContaining('chance 50%') });
    }
  });

  it('gradients: one image in twenty may have none', async () => {
    // 2 of 48 are 4%, 3 are 6%.
    expect((await check('gradients', setting({}, 2))).passed).toBe(true);
    expect((await check('gradients', setting({}, 3))).passed).toBe(false);
    expect((await check('gradients', setting({ differentiable: false }))).passed).toBe(false);
    // None under retrieval alone, by which nothing in this gallery tells images apart.
    const { context } = setting();
    const flat = setting({ context: { ...context, gallery: tf.zeros([COUNT, 2]) as tf.Tensor2D } });
    expect(await check('gradients', flat)).toMatchObject({ passed: false, detail: '100% of images have none' });
  });

  it.each([
    ['a mean squared distance of 0.0202', cross(0.0101, 0.0101), true],
    ['a mean squared distance of 0.0198', cross(0.0099, 0.0099), false],
    ['an effective rank of 1.22', cross(1, 0.11), true],
    ['an effective rank of 1.18', cross(1, 0.09), false],
  ])('collapse: %s', async (_, clean, passed) => {
    expect((await check('collapse', setting({}, 0, clean))).passed).toBe(passed);
  });

  it('are not made where there is nothing to make them of', async () => {
    expect((await check('black-box', setting({ norm: 'l1' }))).passed).toBe(null);
    const two = { ...cross(1, 1), data: Float32Array.of(1, 0, 0, 1), rows: 2 };
    expect((await check('collapse', setting({}, 0, two))).passed).toBe(null);
  });
});

it('effective rank and distance do not depend on the axes: an ellipse along the diagonals', () => {
  // Variances 4 and 1 along (1, 1) and (1, -1): distance 2 (4 + 1), rank (4 + 1)² / (16 + 1).
  const ellipse = { data: Float32Array.of(2, 2, -2, -2, 1, -1, -1, 1), rows: 4, cols: 2 };
  const { meanSquaredDistance, effectiveRank } = spreadOf(ellipse);
  expect(meanSquaredDistance).toBeCloseTo(10, 10);
  expect(effectiveRank).toBeCloseTo(25 / 17, 10);
});
