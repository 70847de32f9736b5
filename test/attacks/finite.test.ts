import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackRun,
  type AttackSettings,
  apgd,
  carliniWagner,
  fgsm,
  miFgsm,
  type Objective,
  pgd,
  rankingObjective,
  runAttack,
  square,
} from '../../src/attacks/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { at, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';

const EPSILON = { linf: 0.1, l2: 1, l1: 5 };
const norms = ['linf', 'l2', 'l1'] as const;
const settings: AttackSettings[] = [
  ...norms.flatMap((norm) => [
    fgsm({ norm, epsilon: EPSILON[norm] }),
    pgd({ norm, epsilon: EPSILON[norm], steps: 3 }),
    pgd({ norm, epsilon: EPSILON[norm], steps: 3, keep: 'last' }),
    pgd({ norm, epsilon: EPSILON[norm], steps: 3, keep: 'last', restarts: 2 }),
    miFgsm({ norm, epsilon: EPSILON[norm], steps: 3 }),
    apgd({ norm, epsilon: EPSILON[norm], steps: 5 }),
  ]),
  carliniWagner({ epsilon: 1, steps: 4, searches: 2 }),
  square({ epsilon: 0.1, steps: 4 }),
  square({ norm: 'l2', epsilon: 1, steps: 4 }),
];
const title = (s: AttackSettings) => `${s.name} ${s.norm}${s.rule === 'fixed' ? ` ${s.keep} ${s.restarts}` : ''}`;

const model = { apply: (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D };
let run: Pick<AttackRun, 'model' | 'images' | 'seed'>;

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  run = { model, images: tf.fill([2, 4, 4, 1], 0.5), seed: 1 };
});

/** Sums, to which `spoil` does something from the call `from` on. */
function objectiveOf(spoil: (sums: tf.Tensor1D) => tf.Tensor1D, from = 0, joint = false): Objective {
  let calls = 0;
  const values = (e: tf.Tensor2D) => {
    const sums = tf.sub<tf.Tensor1D>(tf.sum(e, 1), 9);
    return calls++ < from ? sums : spoil(sums);
  };
  return { name: 'spoilt', joint, flatAtStart: false, bind: () => values };
}
const adding = (value: number) => (sums: tf.Tensor1D) => tf.add<tf.Tensor1D>(sums, tf.tensor1d([0, value]));
/** Values as they are, and NaN for a gradient. */
const withoutGradient = (sums: tf.Tensor1D) =>
  tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.tensor1d([1, Number.NaN])),
  }))(sums) as tf.Tensor1D;

const notFinite = (message: RegExp) =>
  expect.objectContaining({ code: 'ERR_NOT_FINITE', message: expect.stringMatching(message) });

describe.each(settings.map((s) => [title(s), s] as const))('%s', (_, attack) => {
  it.each([Number.NaN, Infinity, -Infinity])('ends where a value is %s, and frees everything', (value) => {
    const before = tf.memory().numTensors;
    const call = () => runAttack({ ...run, settings: attack, objective: objectiveOf(adding(value)) });
    expect(call).toThrow(
      notFinite(/^Expected finite values of the objective spoilt but received (NaN|-?Infinity) in row/),
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  if (attack.steps > 1) {
    it('ends where a value becomes NaN on the way', () => {
      expect(() => runAttack({ ...run, settings: attack, objective: objectiveOf(adding(Number.NaN), 1) })).toThrow(
        notFinite(/the objective spoilt/),
      );
    });
  }

  if (attack.rule === 'square') return;

  it('ends where a gradient is NaN', () => {
    expect(() => runAttack({ ...run, settings: attack, objective: objectiveOf(withoutGradient) })).toThrow(
      notFinite(/gradient/),
    );
  });

  it('ends with one sentence where there is no gradient at all, and frees everything', () => {
    const opaque = { apply: (x: tf.Tensor4D) => tf.tensor2d(model.apply(x).arraySync()) };
    const before = tf.memory().numTensors;
    expect(() => runAttack({ ...run, model: opaque, settings: attack, objective: objectiveOf((x) => x) })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(/gradient by the images/) }),
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('joint objectives', () => {
  it.each([pgd({ epsilon: 0.1, steps: 2 }), apgd({ epsilon: 0.1, steps: 3 }), square({ epsilon: 0.1, steps: 3 })])(
    'end where one value is NaN: $name',
    (attack) => {
      const objective = objectiveOf(adding(Number.NaN), 0, true);
      expect(() => runAttack({ ...run, settings: attack, objective })).toThrow(notFinite(/spoilt/));
    },
  );
});

it('ranking objectives end where the gallery is NaN', () => {
  const embeddings = tf.fill([2, 16], Number.NaN) as tf.Tensor2D;
  const gallery = { embeddings, labels: Int32Array.of(0, 1), self: Int32Array.of(0, 1) };
  const objective = rankingObjective('QA+', Int32Array.of(1, 0));
  expect(() => runAttack({ ...run, gallery, objective, settings: pgd({ epsilon: 0.1, steps: 2 }) })).toThrow(
    notFinite(/QA\+|gradient/),
  );
});

describe('images', () => {
  it.each([
    [1.5, 'ERR_ARGUMENT', /pixels in \[0, 1\] in images but received 1\.5 in image 1\.$/],
    [-0.25, 'ERR_ARGUMENT', /received -0\.25 in image 1\.$/],
    [Infinity, 'ERR_ARGUMENT', /received Infinity in image 1\.$/],
    [Number.NaN, 'ERR_NOT_FINITE', /finite pixels in images but received NaN in image 1\.$/],
  ])('with a pixel of %s are refused by every rule', (value, code, message) => {
    const pixels = new Float32Array(32).fill(0.5);
    pixels[20] = value;
    const images = tf.tensor4d(pixels, [2, 4, 4, 1]);
    for (const attack of settings) {
      expect(() => runAttack({ ...run, images, settings: attack, objective: objectiveOf((x) => x) })).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(message) }),
      );
    }
  });
});

it('a training whose attack meets NaN has diverged', async () => {
  const nan = (e: tf.Tensor2D) => tf.mul<tf.Scalar>(tf.sum(e), Number.NaN);
  const loss = Object.assign(nan, { config: { name: 'nan' } });
  const before = tf.memory().numTensors;
  const options = { data: tinyImages(), model: convEmbedder({ dimension: 2, width: 1 }), loss, epochs: 1 };
  const run = train({ ...options, method: at({ attack: { epsilon: 0.1, steps: 1 } }), backend: 'cpu' });
  await expect(run).rejects.toMatchObject({
    code: 'ERR_DIVERGED',
    message: expect.stringMatching(/while crafting in step 0\.$/),
  });
  expect(tf.memory().numTensors).toBe(before);
});
