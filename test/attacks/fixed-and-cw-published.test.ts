import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { carliniWagner, miFgsm } from '../../src/attacks/index.js';
import { crossEntropy, describePublished, gap, golden, mlp, watch, waveImages } from './published.js';

type Rows = number[][];
interface Search {
  firstWeight: number;
  steps: number;
  learningRate: number;
  confidence: number;
  labels: number[];
  best: Rows;
  length: number[];
}
const goldens = golden<{
  miFgsm: { epsilon: number; stepSize: number; momentum: number; labels: number[]; iterates: Rows[] }[];
  cwFixed: (Search & { iterates: Rows[]; values: Rows })[];
  cwSearch: (Search & { rounds: { weight: number[]; reached: number[] }[] })[];
}>('fixed-and-cw');

const SHAPE = [4, 4, 1] as const;
const images = waveImages(2, SHAPE);

describePublished('mi-fgsm', () => {
  it.each(goldens.miFgsm)('momentum $momentum, steps of $stepSize', ({ iterates, labels, ...options }) => {
    const settings = miFgsm({ ...options, steps: iterates.length - 1, keep: 'best' });
    const { points } = watch({ images, shape: SHAPE, model: mlp(16), value: crossEntropy(labels), settings });
    expect(gap(points, iterates)).toBeLessThan(2e-5);
  });
});

/** The largest other logit less the label's, times a factor. */
const margin = (labels: number[], factor: number) => (logits: tf.Tensor2D) => {
  const own = tf.oneHot(tf.tensor1d(labels, 'int32'), 3);
  const others = tf.max(tf.sub(logits, tf.mul(own, 1e6)), 1);
  return tf.mul(tf.sub(others, tf.sum(tf.mul(logits, own), 1)), factor) as tf.Tensor1D;
};

/** A first weight other than ours, 1, is an objective, and a confidence, of that many times. */
function search({ firstWeight, steps, learningRate, confidence, labels }: Search, searches: number) {
  const settings = carliniWagner({ epsilon: 10, steps, learningRate, searches, confidence: confidence * firstWeight });
  return watch({ images, shape: SHAPE, model: mlp(16), value: margin(labels, firstWeight), settings });
}

const lengths = (found: Rows) => found.map((x, i) => Math.hypot(...x.map((v, k) => v - images[i][k])));

describePublished('cw', () => {
  it.each(goldens.cwFixed)('one weight of $firstWeight, confidence $confidence', (run) => {
    const { points, values, result } = search(run, 1);
    // The first look is at the images.
    run.iterates.forEach((iterate, t) => {
      expect(gap(points[1 + t], iterate), `step ${t}`).toBeLessThan(1e-5);
      expect(
        gap(
          values[1 + t],
          run.values[t].map((v) => v * run.firstWeight),
        ),
        `step ${t}`,
      ).toBeLessThan(1e-4);
    });
    expect(gap(lengths(result), run.length)).toBeLessThan(1e-5);
    expect(gap(result, run.best)).toBeLessThan(1e-5);
  });

  it.each(goldens.cwSearch)('weights from $firstWeight on', (run) => {
    const { values, result } = search(run, run.rounds.length);
    const found = lengths(result);
    run.rounds.forEach(({ reached }, round) => {
      const first = 1 + round * run.steps;
      const looks = values.slice(first, first + run.steps);
      expect(
        run.labels.map((_, i) => (looks.some((row) => row[i] > 0) ? 1 : 0)),
        `round ${round}`,
      ).toEqual(reached);
    });
    run.length.forEach((length, i) => {
      // Below that the objective's pull is as small as rounding errors of the image's.
      const small = run.rounds.some(({ weight }) => weight[i] < 1e-3);
      expect(gap(found[i], length), `image ${i}`).toBeLessThan(small ? 0.1 * length : 1e-5);
      if (!small) expect(gap(result[i], run.best[i]), `image ${i}`).toBeLessThan(1e-5);
    });
  });
});
