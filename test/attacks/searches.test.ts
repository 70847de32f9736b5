import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { carliniWagner, type Objective, pgd, runAttack, selectTargets, square } from '../../src/attacks/index.js';
import { randomStream } from '../../src/random.js';

const flat = { name: 'flat', joint: false, flatAtStart: false };
/** Embeds an image as its pixels. */
const pixels = { apply: (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D };

beforeAll(() => tf.setBackend('cpu'));

describe('carliniWagner', () => {
  /** `slope` (x - 0.6) of one pixel at 0.5. */
  const reached = (
    slope: number,
    options: { searches?: number; confidence?: number; steps?: number },
    seen: number[] = [],
  ) => {
    const objective: Objective = {
      ...flat,
      bind: () => (e) => {
        seen.push(e.dataSync()[0]);
        return tf.mul(tf.sub(tf.sum(e, 1), 0.6), slope) as tf.Tensor1D;
      },
    };
    const images = tf.fill([1, 1, 1, 1], 0.5) as tf.Tensor4D;
    const settings = carliniWagner({ epsilon: 0.4, steps: 150, learningRate: 0.02, ...options });
    return runAttack({ model: pixels, images, objective, settings, seed: 1 }).dataSync()[0];
  };

  it('grows the weight tenfold from 1 until the objective is reached', () => {
    // |delta|² - c slope delta is least at c slope / 2: beyond 0.1 from c = 20 on, that is from 100 on.
    expect(reached(0.01, { searches: 2 })).toBeLessThan(0.56);
    expect(reached(0.01, { searches: 3 })).toBeGreaterThan(0.6);
  });

  it('walks by Adam in tanh space: its first steps are as long as the learning rate', () => {
    // Too slow to reach anything: the last point comes back, w = steps · 0.02 at a gradient that hardly changes.
    for (const steps of [1, 2, 3]) {
      expect(reached(0.5, { steps, searches: 1 })).toBeCloseTo((Math.tanh(0.02 * steps) + 1) / 2, 3);
    }
  });

  it('then halves it between its bounds: the shortest success is near the boundary', () => {
    const [few, many] = [reached(1, { searches: 1 }), reached(1, { searches: 6 })];
    expect(few).toBeGreaterThan(0.6);
    expect(many).toBeGreaterThan(0.6);
    expect(many).toBeLessThan(0.605);
  });

  it('the middle of the bounds is their mean', () => {
    // Weight 1 succeeds at 0.3 / 2 = 0.15; the half of it comes to rest at 0.075, short of the boundary.
    const seen: number[] = [];
    reached(0.3, { searches: 2 }, seen);
    // The last call is of what is returned.
    expect(Math.abs(seen[seen.length - 2] - 0.575)).toBeLessThan(0.005);
  });

  it('counts as reached above the confidence, and no sooner', () => {
    const sure = reached(1, { searches: 6, confidence: 0.05 });
    expect(sure).toBeGreaterThan(0.65);
    expect(sure).toBeLessThan(0.655);
  });
});

describe('square', () => {
  it('halves the share of its squares after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 of 10000', () => {
    const [n, side, steps] = [24, 20, 250];
    const heights: number[] = [];
    let first: Float32Array | undefined;
    // Nothing is ever better than the start, so that each trial is the start with one square.
    const objective: Objective = {
      ...flat,
      bind: () => (e) => {
        const values = e.dataSync() as Float32Array;
        first ??= values.slice();
        heights.push(largestHeight(values, first, n, side));
        return tf.fill([n], -heights.length) as tf.Tensor1D;
      },
    };
    const images = tf.fill([n, side, side, 1], 0.5) as tf.Tensor4D;
    runAttack({ model: pixels, images, objective, settings: square({ epsilon: 0.1, steps, share: 0.3 }), seed: 1 });
    const sides = Array.from({ length: steps }, (_, step) => {
      const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((at) => (10_000 * step) / steps > at);
      return Math.max(1, Math.round(Math.sqrt(0.3 / 2 ** halvings.length) * side));
    });
    expect(new Set(sides)).toEqual(new Set([11, 8, 5, 4, 3, 2, 1]));
    expect(heights.slice(1)).toEqual(sides);
  });
});

/** Over the images, the most rows between the first and the last pixel that differ. */
function largestHeight(values: Float32Array, first: Float32Array, n: number, side: number): number {
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const rows = Array.from({ length: side }, (_, y) => y).filter((y) => {
      const at = (i * side + y) * side;
      return values.subarray(at, at + side).some((value, x) => value !== first[at + x]);
    });
    if (rows.length > 0) largest = Math.max(largest, rows[rows.length - 1] - rows[0] + 1);
  }
  return largest;
}

it('a given start is the first restart’s; the others begin at random', () => {
  const seen: number[] = [];
  const objective: Objective = {
    ...flat,
    bind: () => (e) => {
      seen.push(e.dataSync()[0]);
      return tf.sum(e, 1);
    },
  };
  const images = tf.fill([1, 1, 1, 1], 0.5) as tf.Tensor4D;
  const start = tf.fill([1, 1, 1, 1], 0.53) as tf.Tensor4D;
  const settings = pgd({ epsilon: 0.1, steps: 1, stepSize: 0, restarts: 3 });
  runAttack({ model: pixels, images, objective, settings, start, seed: 1 });
  // Each restart looks at its beginning and at its end, which is the same.
  expect(seen.filter((value) => Math.abs(value - 0.53) < 1e-6).length).toBe(2);
  expect(new Set(seen).size).toBe(3);
});

it('CA- and QA- lower one of the nearest hundredth, whichever it is, and never the sample itself', () => {
  // 399 rows on a line, the sample at 0: its nearest hundredth, rounded down, are the rows 1, 2 and 3.
  const rows = 399;
  const ranking = {
    distances: Float32Array.from({ length: rows }, (_, j) => j),
    ...{ rows: 1, cols: rows, queryLabels: Int32Array.of(0), labels: new Int32Array(rows), self: Int32Array.of(0) },
  };
  for (const name of ['CA-', 'QA-'] as const) {
    const drawn = Array.from({ length: 40 }, (_, seed) => selectTargets(name, ranking, randomStream(seed))[0]);
    expect([...new Set(drawn)].sort()).toEqual([1, 2, 3]);
  }
});
