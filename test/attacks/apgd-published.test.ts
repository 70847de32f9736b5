import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { apgd } from '../../src/attacks/index.js';
import { apgdAscent } from '../../src/attacks/rules/apgd.js';
import { checkpoints, HalvingPace } from '../../src/attacks/rules/apgd-halving.js';
import { randomStream } from '../../src/random.js';
import {
  besideImages,
  crossEntropy,
  describePublished,
  gap,
  golden,
  mlp,
  rowsOf,
  tensorOfImages,
  watch,
  waveImages,
} from './published.js';

interface Run {
  norm: 'linf' | 'l2' | 'l1';
  epsilon: number;
  steps: number;
  labels: number[];
  numbers?: number[];
  iterates: number[][][];
  loss: number[][];
  best: number[][];
  checkpoints?: { after: number; fewRises: number[]; halved: number[] | null }[];
  decidedUntil: number[];
  final: number[][];
  finalLoss: number[];
}
const runs = golden<{ smooth: Run[]; edge: Run[]; waves: Run[]; checkpoints: Record<string, number[]> }>('apgd');

const SHAPE = [4, 4, 1] as const;

/** log(1 + e^g), g a wave of its own per sample: that of number 1 is straight, of 0 none. */
function waves(numbers: number[]) {
  const table = (at: (s: number, k: number) => number) =>
    tf.tensor2d(numbers.map((s) => Array.from({ length: 16 }, (_, k) => at(s, k))));
  const amplitude = table((s, k) => (s === 0 ? 0 : Math.sin(1 + k)));
  const rate = table((s) => 5 + 40 * ((0.618 * s) % 1));
  const phase = table((s, k) => s + 2.3 * k);
  const straight = tf.tensor2d(numbers.map((s) => [s === 1 ? 1 : 0]));
  return (e: tf.Tensor2D): tf.Tensor1D => {
    const wave = tf.cos(tf.add(tf.mul(e, rate), phase));
    const form = tf.add(tf.mul(straight, e), tf.mul(tf.sub(1, straight), wave));
    return tf.softplus(tf.sum(tf.mul(amplitude, form), 1)) as tf.Tensor1D;
  };
}

/** Every point that the rule looks at, and the objective there, [steps + 1][n][...]. */
function replay(family: 'smooth' | 'edge' | 'waves', run: Run, startCountsAs0 = false) {
  const { norm, epsilon, steps, labels, numbers } = run;
  const images = waveImages(labels.length, SHAPE, family === 'edge' ? { swing: 0.7 } : {});
  if (numbers) images.fill(images[0]);
  const start = besideImages(images, epsilon);
  if (numbers) start.fill(start[0]);
  const [points, values]: [number[][][], number[][]] = [[], []];
  const ascent = {
    ...{ images: tensorOfImages(images, SHAPE), start: tensorOfImages(start, SHAPE), startGiven: true },
    ...{ joint: false, objective: 'published', random: randomStream(1) },
    values(x: tf.Tensor4D) {
      points.push(rowsOf(x));
      const value = numbers ? waves(numbers)(tf.reshape(x, [-1, 16])) : crossEntropy(labels)(mlp(16)(x));
      values.push(Array.from(value.dataSync()));
      return value;
    },
  };
  const spy = startCountsAs0 ? countStartAs0() : undefined;
  const best = tf.tidy(() => rowsOf(apgdAscent(ascent, apgd({ norm, epsilon, steps })).images));
  spy?.mockRestore();
  return { points, values, best };
}

/** The authors' first comparison, which is not ours. */
function countStartAs0() {
  const { note } = HalvingPace.prototype;
  return vi.spyOn(HalvingPace.prototype, 'note').mockImplementationOnce(function (this: HalvingPace, values) {
    Object.assign(this, { last: new Float64Array(values.length) });
    note.call(this, values);
  });
}

/** Iterates up to the first comparison that hangs on rounding, losses to the same place; what is found in the end. */
function expectPublished(run: Run, { points, values, best }: ReturnType<typeof replay>, tolerance: number): void {
  expect(points.length).toBe(run.steps + 1);
  for (const [i, until] of run.decidedUntil.entries()) {
    for (let t = 0; t < until; t++) {
      const at = `sample ${i}, iterate ${t}`;
      if (run.iterates.length > 1) expect(gap(points[t][i], run.iterates[t][i]), at).toBeLessThan(tolerance);
      expect(gap(values[t][i], run.loss[t][i]), at).toBeLessThan(50 * tolerance);
    }
    const found = Math.max(...values.map((row) => row[i]));
    const decided = until > run.steps;
    expect(gap(found, run.finalLoss[i]), `sample ${i}, loss`).toBeLessThan(decided ? 50 * tolerance : 0.02);
    if (decided) expect(gap(best[i], run.final[i]), `sample ${i}, best`).toBeLessThan(tolerance);
  }
}

/** Waves are steep: in l2 they make more of a rounding error from step to step. */
const tolerance = ({ norm, numbers }: Run) => (norm === 'l1' || (numbers && norm === 'l2') ? 1e-4 : 2e-5);

describePublished('apgd', () => {
  it.each(runs.smooth)('smooth, $norm, $steps steps', (run) => {
    expectPublished(run, replay('smooth', run), tolerance(run));
  });

  it.each(runs.edge.filter(({ norm }) => norm !== 'l2'))('at the edge of the box, $norm, $steps steps', (run) => {
    expectPublished(run, replay('edge', run), tolerance(run));
  });

  it('at the edge of the box, l2: the exact projection finds no less than scaling and clipping', () => {
    const run = runs.edge.find(({ norm }) => norm === 'l2')!;
    const { values } = replay('edge', run);
    run.finalLoss.forEach((loss, i) => {
      expect(Math.max(...values.map((row) => row[i]))).toBeGreaterThan(loss);
    });
  });

  it.each(runs.waves)('waves, $norm, $steps steps, the start counted as 0', (run) => {
    expectPublished(run, replay('waves', run, true), tolerance(run));
  });

  it.each(runs.waves.filter(({ steps }) => steps < 100))(
    'waves, $norm, $steps steps: the start counts as it is, and only where the first step fell it matters',
    (run) => {
      const [own, published] = [replay('waves', run), replay('waves', run, true)];
      const apart = run.labels.flatMap((_, i) => (gap(own.best[i], published.best[i]) > 1e-3 ? [i] : []));
      const fell = run.labels.flatMap((_, i) => (run.loss[1][i] < run.loss[0][i] ? [i] : []));
      expect(apart.length).toBeGreaterThan(0);
      for (const i of apart) expect(fell).toContain(i);
    },
  );
});

it.each(Object.entries(runs.checkpoints))('%s steps have the published checkpoints', (steps, marks) => {
  expect(checkpoints(Number(steps))).toEqual(marks);
});

describe('l1', () => {
  beforeAll(() => tf.setBackend('cpu'));

  /** Which of 40 values, the more they weigh the later they come, the first step from there raises. */
  const raised = (start?: number[]) => {
    const value = (e: tf.Tensor2D) => tf.sum(tf.mul(e, tf.range(1, 41)), 1) as tf.Tensor1D;
    const settings = apgd({ norm: 'l1', epsilon: 0.5, steps: 1 });
    const images = [new Array(40).fill(0.5)];
    const { points } = watch({ images, shape: [1, 40, 1], value, settings, start: start && [start] });
    return points[1][0].flatMap((v, k) => (v > 0.5 && v > points[0][0][k] + 1e-3 ? [k] : []));
  };

  it('a given start moves two thirds as many values as it has moved, a random one a fifth of all', () => {
    expect(raised(new Array(40).fill(0.5).fill(0.51, 0, 9))).toEqual([34, 35, 36, 37, 38, 39]);
    expect(raised()).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
  });

  it('steps that are kept up shrink by 1.5 down to a tenth of the radius', () => {
    // Up and down in turns, one value at a time, and never better than the start.
    let calls = 0;
    const value = (e: tf.Tensor2D) => {
      const along = tf.mul(tf.sum(tf.mul(e, tf.range(1, 41)), 1), calls++ % 2 === 0 ? 1 : -1) as tf.Tensor1D;
      return tf.sub<tf.Tensor1D>(along, along.dataSync()[0] + calls);
    };
    const image = new Array(40).fill(0.5);
    const settings = apgd({ norm: 'l1', epsilon: 0.4, steps: 10 });
    const { points } = watch({ images: [image], shape: [1, 40, 1], value, settings, start: [image] });
    for (let t = 0; t < 10; t++) {
      const length = points[t + 1][0].reduce((sum, v, k) => sum + Math.abs(v - points[t][0][k]), 0);
      expect(length, `step ${t}`).toBeCloseTo(0.4 * Math.max(1.5 ** -t, 0.1), 5);
    }
  });
});
