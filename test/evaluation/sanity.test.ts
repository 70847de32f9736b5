import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvaluationProgress, type EvaluationReport, evaluate, suite } from '../../src/evaluation/index.js';
import { convEmbedder, type Embedder, Ensemble } from '../../src/models/index.js';
import { reportText } from '../../src/report/index.js';
import { checksText } from '../../src/report/text.js';
import { type TrainedEnsemble, train } from '../../src/training/index.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { QUICKER, threeAttacks } from './brief.js';

const data = tinyImages();
let honest: TrainedEnsemble;
/** Of the honest one. */
let report: EvaluationReport;
const told: EvaluationProgress[] = [];

beforeAll(async () => {
  const model = convEmbedder({ dimension: 4, width: 2 });
  honest = await train({ data, model, epochs: 15, learningRate: 0.01, batch: { size: 12 }, backend: QUICKER });
  report = await measured(honest, (progress) => told.push(progress));
});

afterAll(() => honest.dispose());

/** The trained model behind a front that does something to its images or its embeddings. */
function behind(apply: (images: tf.Tensor4D, inner: (x: tf.Tensor4D) => tf.Tensor2D) => tf.Tensor2D): Ensemble {
  const [inner] = honest.members;
  const outer: Embedder = Object.assign(Object.create(inner), {
    ...inner,
    apply: (images: tf.Tensor4D) => tf.tidy(() => apply(images, (x) => inner.apply(x))),
  });
  return new Ensemble([outer]);
}

const failed = ({ checks }: EvaluationReport) =>
  checks.filter(({ passed }) => passed === false).map(({ name }) => name);
const attacks = LONG ? suite('quick', { epsilon: 0.15 }) : threeAttacks(0.15);
const measured = (ensemble: Ensemble, onProgress?: (progress: EvaluationProgress) => void) =>
  evaluate(ensemble, data, { attacks, epsilon: 0.15, backend: QUICKER, allowSeen: true, bootstrap: 0, onProgress });

describe('sanity checks', () => {
  it('pass on an honestly attacked model', () => {
    expect(report.checks.map(({ name }) => name)).toEqual([
      'more-steps',
      'more-epsilon',
      'whole-box',
      'black-box',
      'gradients',
      'collapse',
      'joint-objectives',
    ]);
    expect(failed(report)).toEqual([]);
    expect(reportText(report)).toContain('sanity checks: all 7 passed');
  });

  it('come first in the progress, by name and share', () => {
    const checks = told.filter(({ attack }) => attack === 'sanity checks');
    // Five and twenty steps, twice the radius, random squares, for two goals each; and the whole box.
    const images = Math.min(48, data.labels.length);
    expect(checks.map(({ done, total }) => [done, total])).toEqual(
      Array.from({ length: 9 }, (_, i) => [(i + 1) * images, 9 * images]),
    );
    expect(told.slice(0, 9)).toEqual(checks);
    expect(checks.at(-1)!.etaSeconds).toBeCloseTo(0, 6);
  });

  it('flag quantised input: no gradients, and random search beats them', async () => {
    const quantised = await measured(behind((x, inner) => inner(tf.div(tf.round(tf.mul(x, 8)), 8))));
    expect(failed(quantised)).toEqual(expect.arrayContaining(['gradients', 'black-box']));
    expect(reportText(quantised)).toMatch(/^DO NOT TRUST THESE FIGURES: \d of 7/m);
  });

  it('flag a wrapper that cannot be differentiated, and still evaluate it', async () => {
    const before = tf.memory().numTensors;
    const opaque = await measured(behind((x, inner) => tf.tensor2d(inner(x).arraySync())));
    expect(tf.memory().numTensors).toBe(before);
    expect(failed(opaque)).toEqual(expect.arrayContaining(['gradients', 'black-box']));
    expect(checksText(opaque.checks)).toContain('gradients: the model has no gradient by its images');
    // Its gradient attacks found next to nothing, which is what the checks warn of.
    expect(opaque.worst.scores.nmi).toBeGreaterThan(report.worst.scores.nmi!);
  });

  it('flag a collapsed model', async () => {
    const collapsed = behind((x, inner) => {
      const e = tf.add(tf.mul(inner(x), 0.01), tf.tensor1d([1, 0, 0, 0]));
      return tf.div(e, tf.norm(e, 2, 1, true)) as tf.Tensor2D;
    });
    expect(failed(await measured(collapsed))).toContain('collapse');
  });

  it('flag gradients that point the wrong way: more steps then help the defender', async () => {
    const reversed = behind((x, inner) => {
      const turned = tf.customGrad((y) => ({
        value: tf.clone(y as tf.Tensor),
        gradFunc: (dy: tf.Tensor) => tf.neg(dy),
      }));
      return inner(turned(x) as tf.Tensor4D);
    });
    expect(failed(await measured(reversed))).toEqual(expect.arrayContaining(['whole-box', 'black-box']));
  });
});
