import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackRun,
  type AttackSettings,
  apgd,
  attackContext,
  carliniWagner,
  objective,
  pgd,
  runAttack,
  square,
} from '../../src/attacks/index.js';
import { randomPerturbation } from '../../src/attacks/random-start.js';
import { checkpoints } from '../../src/attacks/rules/apgd-halving.js';
import { imageBatch } from '../../src/data/image-batch.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

const data = tinyImages({ perClass: 3 });
const goal = objective('centroid-margin');
let ensemble: Ensemble;
let run: Omit<AttackRun, 'settings'>;

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  const spec = convEmbedder({ dimension: 4, width: 2 });
  ensemble = new Ensemble([spec.build([8, 8, 1], 3)]);
  const images = imageBatch(data, Array.from(data.labels.keys()));
  tf.tidy(() => void ensemble.apply(images, true));
  const context = await attackContext(await ensemble.embed(data), data.labels);
  run = { model: ensemble, images, objective: goal, seed: 5, ...context };
});

/** The objective's value for each image. */
function valuesAt(images: tf.Tensor4D): number[] {
  return tf.tidy(() => {
    const bound = goal.bind({ ...run, clean: () => ensemble.apply(run.images), random: randomStream(0) });
    return Array.from(bound(ensemble.apply(images)).dataSync());
  });
}
const reached = (settings: AttackSettings, more: Partial<AttackRun> = {}) =>
  valuesAt(runAttack({ ...run, settings, ...more }));
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

describe('apgd', () => {
  it('looks at its step size where the paper does', () => {
    expect(checkpoints(100)).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
  });

  it.each(['linf', 'l2'] as const)('is as strong as PGD of the same steps on %s', (norm) => {
    const epsilon = norm === 'linf' ? 0.1 : 1;
    const adaptive = mean(reached(apgd({ norm, epsilon, steps: 40 })));
    expect(adaptive).toBeGreaterThanOrEqual(mean(reached(pgd({ norm, epsilon, steps: 40 }))) - 1e-3);
  });

  it('returns the best of all that it saw, per sample', () => {
    const seen: number[][] = [];
    const spy = {
      ...goal,
      bind(inputs: Parameters<typeof goal.bind>[0]) {
        const bound = goal.bind(inputs);
        return (embeddings: tf.Tensor2D) => {
          const values = bound(embeddings);
          seen.push(Array.from(values.dataSync()));
          return values;
        };
      },
    };
    const values = reached(apgd({ epsilon: 0.1, steps: 20, restarts: 2 }), { objective: spy });
    for (const [i, value] of values.entries()) {
      expect(value).toBeCloseTo(Math.max(...seen.map((all) => all[i])), 5);
    }
  });

  it('halves its step: a rough start ends at a finer maximum than fixed steps of the same length', () => {
    // -|x - 0.53| summed: the gradient has one size everywhere, so fixed steps of 0.2 overshoot for ever.
    const model = { apply: (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D };
    const peak = {
      name: 'peak',
      joint: false,
      flatAtStart: false,
      bind: () => (e: tf.Tensor2D) => tf.neg(tf.sum(tf.abs(tf.sub(e, 0.53)), 1)) as tf.Tensor1D,
    };
    const images = tf.fill([2, 2, 2, 1], 0.5) as tf.Tensor4D;
    const error = (settings: AttackSettings) =>
      mean(tf.abs(tf.sub(runAttack({ model, images, objective: peak, settings, seed: 1 }), 0.53)).dataSync());
    const fixed = error(pgd({ epsilon: 0.1, steps: 30, stepSize: 0.2, randomStart: false }));
    expect(error(apgd({ epsilon: 0.1, steps: 30 }))).toBeLessThan(fixed / 5);
  });
});

describe('carliniWagner', () => {
  it('crosses the boundary with less than PGD of the whole radius, and never leaves the ball', () => {
    const epsilon = 3;
    const length = (x: tf.Tensor4D) =>
      Array.from(tf.sqrt(tf.sum(tf.squaredDifference(x, run.images), [1, 2, 3])).dataSync());
    const short = runAttack({ ...run, settings: carliniWagner({ epsilon, steps: 60 }) });
    const long = runAttack({ ...run, settings: pgd({ norm: 'l2', epsilon, steps: 20 }) });
    expect(valuesAt(short).every((value) => value > -1e-5)).toBe(true);
    expect(mean(length(short))).toBeLessThan(0.8 * mean(length(long)));
    const small = carliniWagner({ epsilon: 0.05, ...(!LONG && { steps: 20 }) });
    expect(Math.max(...length(runAttack({ ...run, settings: small })))).toBeLessThanOrEqual(0.05 * (1 + 1e-6));
  });

  it('wants one value per sample', () => {
    const settings = carliniWagner({ epsilon: 1 });
    expect(() => runAttack({ ...run, settings, objective: objective('joint-pairwise') })).toThrow(/joint-pairwise/);
  });
});

describe('square', () => {
  it.each(['linf', 'l2'] as const)('raises the objective through a model without gradients on %s', (norm) => {
    const blind = { apply: (x: tf.Tensor4D) => tf.tensor2d(ensemble.apply(x).arraySync()) };
    const epsilon = norm === 'linf' ? 0.1 : 1;
    const before = mean(valuesAt(run.images));
    const found = reached(square({ norm, epsilon, steps: 150 }), { model: blind });
    expect(mean(found)).toBeGreaterThan(before + 0.01);
    expect(mean(found)).toBeLessThanOrEqual(mean(reached(apgd({ norm, epsilon, steps: 60 }))));
  });
});

it('l1 starts fill the l1 ball uniformly', () => {
  // The l1 length of a uniform point of the ball in d dimensions averages epsilon d / (d + 1).
  const rows = randomPerturbation([2000, 2, 2, 1], { norm: 'l1', epsilon: 1 }, randomStream(1));
  expect(Math.abs(mean(tf.sum(tf.abs(rows), [1, 2, 3]).dataSync()) - 0.8)).toBeLessThan(0.015);
  expect(Math.abs(mean(rows.dataSync()))).toBeLessThan(0.01);
});

it('begins where it is told', () => {
  const start = tf.clipByValue(tf.add(run.images, 0.03), 0, 1) as tf.Tensor4D;
  const settings = pgd({ epsilon: 0.1, steps: 1, stepSize: 0, keep: 'last' });
  const gap = tf.max(tf.abs(tf.sub(runAttack({ ...run, settings, start }), start))).dataSync()[0];
  expect(gap).toBeLessThan(1e-6);
});
