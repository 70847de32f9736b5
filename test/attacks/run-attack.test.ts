import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackNorm,
  type AttackRun,
  type AttackSettings,
  apgd,
  attackContext,
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
import { imageBatch } from '../../src/data/image-batch.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import { chooseBackend, fromMatrix } from '../../src/tfjs/index.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

const EPSILON = 0.1;
const data = tinyImages({ perClass: 3 });
let ensemble: Ensemble;
let run: Omit<AttackRun, 'objective' | 'settings'>;

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  const spec = convEmbedder({ dimension: 4, width: 2 });
  ensemble = new Ensemble([0, 1].map((seed) => spec.build([8, 8, 1], seed)));
  const images = imageBatch(data, Array.from(data.labels.keys()));
  tf.tidy(() => void ensemble.apply(images, true));
  const clean = await ensemble.embed(data);
  const context = await attackContext(clean, data.labels);
  const self = Int32Array.from(data.labels.keys());
  const gallery = { embeddings: fromMatrix(clean), labels: context.labels, self };
  run = { model: ensemble, images, seed: 5, ...context, gallery };
});

/** Sum of the objective's values at `images`, with the random draws of the first restart. */
function valueAt(goal: Objective, images: tf.Tensor4D): number {
  return tf.tidy(() => {
    const random = randomStream(5, goal.name, 0);
    const bound = goal.bind({ ...run, clean: () => ensemble.apply(run.images), random });
    return tf.sum(bound(ensemble.apply(images))).dataSync()[0];
  });
}

/** Length of each image's perturbation, in double precision. */
function lengths(adversarial: tf.Tensor4D, norm: AttackNorm): number[] {
  const [clean, moved] = [run.images.dataSync(), adversarial.dataSync()];
  const size = clean.length / adversarial.shape[0];
  return Array.from({ length: adversarial.shape[0] }, (_, i) => {
    const delta = Array.from({ length: size }, (_, j) => moved[i * size + j] - clean[i * size + j]);
    if (norm === 'l1') return delta.reduce((sum, x) => sum + Math.abs(x), 0);
    return norm === 'linf' ? Math.max(...delta.map(Math.abs)) : Math.hypot(...delta);
  });
}

const attacks: AttackSettings[] = [
  fgsm({ epsilon: EPSILON }),
  pgd({ epsilon: EPSILON, steps: 4 }),
  pgd({ epsilon: EPSILON, steps: 4, restarts: 2, randomStart: false }),
  pgd({ epsilon: EPSILON, steps: 4, keep: 'last' }),
  miFgsm({ epsilon: EPSILON, steps: 4 }),
  mpgd({ epsilon: EPSILON, steps: 8 }),
  mpgd({ norm: 'l2', epsilon: 1, steps: 8 }),
  mpgd({ norm: 'l1', epsilon: 6, steps: 8 }),
  pgd({ norm: 'l2', epsilon: 1, steps: 4 }),
  miFgsm({ norm: 'l2', epsilon: 1, steps: 4 }),
  pgd({ norm: 'l1', epsilon: 6, steps: 4 }),
  apgd({ epsilon: EPSILON, steps: 10 }),
  apgd({ norm: 'l2', epsilon: 1, steps: 10, restarts: 2 }),
  apgd({ norm: 'l1', epsilon: 6, steps: 10 }),
  square({ epsilon: EPSILON, steps: 60 }),
  square({ norm: 'l2', epsilon: 1, steps: 60 }),
];
const title = (settings: AttackSettings) => {
  const { name, norm, restarts, rule } = settings;
  return `${name} ${norm} restarts ${restarts}${rule === 'fixed' ? ` keep ${settings.keep}` : ''}`;
};

/** Each objective under a quarter of the attacks; in the long form under all. */
const objectivesOf = (attack: number) => OBJECTIVE_NAMES.filter((_, i) => LONG || i % 4 === attack % 4);

describe.each(attacks.map((settings, i) => [title(settings), settings, i] as const))('%s', (_, settings, at) => {
  it.each(objectivesOf(at))('stays in ball and box, raises %s, is reproducible and leaks nothing', (name) => {
    const goal = objective(name);
    const before = tf.memory().numTensors;
    const adversarial = runAttack({ ...run, objective: goal, settings });
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(Math.max(...lengths(adversarial, settings.norm))).toBeLessThanOrEqual(settings.epsilon * (1 + 1e-6));
    const pixels = adversarial.dataSync();
    expect(Math.min(...pixels)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...pixels)).toBeLessThanOrEqual(1);
    // A single FGSM step may overshoot where it must first leave the flat top of a loss, never when the best is kept.
    if (!goal.flatAtStart) expect(valueAt(goal, adversarial)).toBeGreaterThan(valueAt(goal, run.images));
    else expect(valueAt(goal, adversarial)).toBeGreaterThan(settings.rule === 'square' ? 0.001 : 0.01);
    const again = runAttack({ ...run, objective: goal, settings });
    expect(Array.from(again.dataSync())).toEqual(Array.from(pixels));
    tf.dispose([adversarial, again]);
  });
});

describe('runAttack', () => {
  it('does more with more steps and with more restarts', () => {
    const values = [
      pgd({ epsilon: EPSILON, steps: 1 }),
      pgd({ epsilon: EPSILON, steps: 20 }),
      pgd({ epsilon: EPSILON, steps: 20, restarts: 4 }),
    ].map((settings) =>
      valueAt(objective('centroid-margin'), runAttack({ ...run, objective: objective('centroid-margin'), settings })),
    );
    expect(values[1]).toBeGreaterThan(values[0]);
    expect(values[2]).toBeGreaterThanOrEqual(values[1]);
  });

  it('keeps for every sample its own best iterate', () => {
    const settings = pgd({ epsilon: EPSILON, steps: 6, stepSize: EPSILON, restarts: 3 });
    const seen: number[][] = [];
    const spy: Objective = {
      ...objective('centroid-margin'),
      bind(inputs) {
        const bound = objective('centroid-margin').bind(inputs);
        return (embeddings) => {
          const values = bound(embeddings);
          seen.push(Array.from(values.dataSync()));
          return values;
        };
      },
    };
    const adversarial = runAttack({ ...run, objective: spy, settings });
    expect(seen.length).toBe(3 * (6 + 1));
    const best = seen[0].map((_, i) => Math.max(...seen.map((values) => values[i])));
    const bound = tf.tidy(() =>
      Array.from(
        objective('centroid-margin')
          .bind({ ...run, clean: () => ensemble.apply(run.images), random: randomStream(0) })(
            ensemble.apply(adversarial),
          )
          .dataSync(),
      ),
    );
    for (const [i, value] of bound.entries()) expect(value).toBeCloseTo(best[i], 5);
  });

  it('keeps the best whole batch of a joint objective', () => {
    const settings = pgd({ epsilon: EPSILON, steps: 6, stepSize: EPSILON, restarts: 3 });
    const sums: number[] = [];
    const joint = objective('joint-pairwise');
    const spy: Objective = {
      ...joint,
      bind(inputs) {
        const bound = joint.bind(inputs);
        return (embeddings) => {
          const values = bound(embeddings);
          sums.push(tf.sum(values).dataSync()[0]);
          return values;
        };
      },
    };
    const adversarial = runAttack({ ...run, objective: spy, settings });
    expect(valueAt(joint, adversarial)).toBeCloseTo(Math.max(...sums), 4);
  });

  it('starts at random points of the ball that differ between seeds, restarts and paths', () => {
    const settings = pgd({ epsilon: EPSILON, steps: 1, stepSize: 0, keep: 'last' });
    const start = (more: Partial<AttackRun>) =>
      Array.from(runAttack({ ...run, objective: objective('proxy'), settings, ...more }).dataSync());
    expect(start({})).toEqual(start({}));
    expect(start({ seed: 6 })).not.toEqual(start({}));
    expect(start({ path: ['x', 1] })).not.toEqual(start({ path: ['x', 2] }));
  });

  it.each(['linf', 'l2'] as const)('draws starts uniformly from the %s ball', (norm) => {
    // Mid-grey images, so that the box cuts nothing: |delta|_inf averages d/(d+1) of the radius in either ball's own norm.
    const images = tf.fill([400, 2, 2, 1], 0.5) as tf.Tensor4D;
    const settings = pgd({ norm, epsilon: 0.2, steps: 1, stepSize: 0, keep: 'last' });
    const flat: Objective = { name: 'sum', joint: false, flatAtStart: false, bind: () => (e) => tf.sum(e, 1) };
    const model = { apply: (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], 4]) as tf.Tensor2D };
    const delta = tf.sub(runAttack({ model, images, objective: flat, settings, seed: 3 }), images);
    const rows = tf.reshape(delta, [400, 4]);
    const radius = tf.mean(norm === 'linf' ? tf.max(tf.abs(rows), 1) : tf.norm(rows, 2, 1)).dataSync()[0];
    expect(Math.abs(radius - 0.2 * (4 / 5))).toBeLessThan(0.005);
    expect(Math.abs(tf.mean(delta).dataSync()[0])).toBeLessThan(0.01);
  });

  it('returns the clean images for epsilon 0', () => {
    const settings = pgd({ epsilon: 0, steps: 2 });
    const adversarial = runAttack({ ...run, objective: objective('proxy'), settings });
    expect(Array.from(adversarial.dataSync())).toEqual(Array.from(run.images.dataSync()));
  });

  it('never leaves ball or box, whatever the settings', () => {
    const settingsOf = fc.record({
      epsilon: fc.double({ min: 0, max: 2, noNaN: true }),
      stepSize: fc.double({ min: 0, max: 3, noNaN: true }),
      steps: fc.integer({ min: 1, max: 3 }),
      norm: fc.constantFrom('linf' as const, 'l2' as const, 'l1' as const),
      randomStart: fc.boolean(),
    });
    const check = fc.property(settingsOf, ({ epsilon, stepSize, ...more }) => {
      // In linf nothing above 1 is a length.
      const scale = more.norm === 'linf' ? [1 / 2, 1 / 3] : [1, 1];
      const options = { ...more, epsilon: scale[0] * epsilon, stepSize: scale[1] * stepSize };
      const adversarial = runAttack({ ...run, objective: objective('centroid-margin'), settings: pgd(options) });
      const worst = Math.max(...lengths(adversarial, options.norm));
      const pixels = adversarial.dataSync();
      adversarial.dispose();
      return worst <= options.epsilon * (1 + 1e-6) + 1e-9 && Math.min(...pixels) >= 0 && Math.max(...pixels) <= 1;
    });
    fc.assert(check, { numRuns: 25 });
  });

  it.each([
    ['epsilon below 0', () => pgd({ epsilon: -1 }), /epsilon/],
    ['epsilon NaN', () => fgsm({ epsilon: Number.NaN }), /epsilon/],
    ['no steps', () => pgd({ epsilon: 1, steps: 0 }), /steps/],
    ['l3', () => pgd({ epsilon: 1, norm: 'l3' as never }), /norm/],
    ['squares in l1', () => square({ epsilon: 1, norm: 'l1' as never }), /norm/],
    ['squares of nothing', () => square({ epsilon: 1, share: 0 }), /share/],
    ['half a restart', () => pgd({ epsilon: 1, restarts: 0.5 }), /restarts/],
    ['an unknown objective', () => objective('nothing'), /embedding-shift.*nothing/],
    ['labels of another length', () => attack({ labels: new Int32Array(2) }), /labels/],
    ['no labels', () => attack({ labels: undefined }), /labels.*centroid-margin/],
    ['no centroids', () => attack({ centroids: undefined }), /centroids.*centroid-margin/],
    ['one class', () => attack({ centroids: tf.ones([1, 8]) }), /centroids/],
    ['a label without centroid', () => attack({ labels: run.labels!.map(() => 9) }), /labels.*received 9/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) }));
  });

  const attack = (more: Partial<AttackRun>) =>
    runAttack({ ...run, objective: objective('centroid-margin'), settings: pgd({ epsilon: 0.1, steps: 1 }), ...more });
});
