import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Metric } from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';
import { chooseBackend, nearestCentroidTensor, pairwiseDistanceTensor } from '../../src/tfjs/index.js';
import { LONG } from '../long.js';
import { backends } from './backends.js';
import { on } from './close.js';

type Rows = number[][];

/** Points as float32 holds them: near each other, and far from 0 or from each other's clusters. */
function points(count: number, cols: number, name: string, offsets: readonly number[], spread: number): Rows {
  const random = randomStream(3, 'points', name);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: cols }, () => Math.fround(offsets[i % offsets.length] + spread * random.normal())),
  );
}

const minus = (a: number[], b: number[]) => a.map((x, j) => x - b[j]);
const dot = (a: number[], b: number[]) => a.reduce((sum, x, j) => sum + x * b[j], 0);
const length = (a: number[]) => Math.hypot(...a);

/** The gradient of one distance by its first point, in double precision. */
const GRADIENTS: Record<Exclude<Metric, 'dot'>, (a: number[], b: number[]) => number[]> = {
  sqeuclidean: (a, b) => minus(a, b).map((x) => 2 * x),
  euclidean: (a, b) => {
    const difference = minus(a, b);
    const distance = length(difference);
    return difference.map((x) => x / distance);
  },
  cosine: (a, b) => {
    const lengths = [length(a), length(b)];
    const x = a.map((v) => v / lengths[0]);
    // Of (a - b) what does not lie along a: that of -b, without its large part.
    const difference = minus(a, b);
    const along = dot(difference, x);
    return difference.map((v, j) => (v - along * x[j]) / (lengths[0] * lengths[1]));
  },
};

function expectedBy(metric: keyof typeof GRADIENTS, a: Rows, b: Rows, pull: Rows): Rows {
  return a.map((p, i) => {
    const sum = p.map(() => 0);
    for (const [j, q] of b.entries()) {
      if (pull[i][j] === 0) continue;
      for (const [c, x] of GRADIENTS[metric](p, q).entries()) sum[c] += pull[i][j] * x;
    }
    return sum;
  });
}

const transposed = (rows: Rows) => rows[0].map((_, j) => rows.map((row) => row[j]));

/** The largest error of a row, relative to it. */
function worst(received: ArrayLike<number>, expected: Rows): number {
  const cols = expected[0].length;
  const errors = expected.map((row, i) => {
    const own = Array.from(row, (_, j) => received[i * cols + j]);
    return length(minus(own, row)) / Math.max(length(row), 1e-30);
  });
  return Math.max(...errors);
}

const CASES: [string, Metric, number[], number][] = [
  ...(['sqeuclidean', 'euclidean', 'cosine'] as const).flatMap((metric): [string, Metric, number[], number][] => [
    ['far from 0', metric, [1e3], 1e-2],
    ['nearly one point', metric, [0.25], 1e-4],
    ['at home', metric, [0], 1],
  ]),
  ['in clusters far apart', 'euclidean', [1e3, -1e3, 5e2], 1e-2],
  ['in clusters far apart', 'sqeuclidean', [1e3, -1e3, 5e2], 1e-2],
];

/** Two sets, of which a chunk of differences holds most rows of one. */
const BATCHES = [[1e3, -1e3], [0]].map((offsets) => {
  const [a, b] = [points(40, 64, 'a', offsets, 1e-2), points(1800, 64, 'b', offsets, 1e-2)];
  const pull = a.map((_, i) => b.map((_, j) => (i % offsets.length === j % offsets.length ? 1 : 0)));
  return { a, b, pull, expected: expectedBy('euclidean', a, b, pull) };
});

describe.each(backends)('gradients of distances on %s', (name) => {
  test.each(CASES)('%s, %s', async (_, metric, offsets, spread) => {
    const [n, m, d] = [9, 12, 16];
    const [a, b] = [points(n, d, 'a', offsets, spread), points(m, d, 'b', offsets, spread)];
    const random = randomStream(4, 'pull');
    // Pairs of one cluster alone: the others' pull would be the larger by far.
    const near = (i: number, j: number) => i % offsets.length === j % offsets.length;
    const pull = a.map((_, i) => b.map((_, j) => (near(i, j) ? Math.fround(random.normal()) : 0)));
    await chooseBackend({ backend: name });
    const [byA, byB] = await on(name, () => {
      const loss = (x: tf.Tensor, y: tf.Tensor) =>
        tf.sum(tf.mul(pairwiseDistanceTensor(x as tf.Tensor2D, y as tf.Tensor2D, { metric }), tf.tensor2d(pull)));
      return tf.grads(loss)([tf.tensor2d(a), tf.tensor2d(b)]);
    });
    const by = metric as keyof typeof GRADIENTS;
    expect(worst(byA.values, expectedBy(by, a, b, pull))).toBeLessThan(1e-4);
    expect(worst(byB.values, expectedBy(by, b, a, transposed(pull)))).toBeLessThan(1e-4);
  });

  // Chunks are the same on every backend, and take cpu seconds.
  const chunked = LONG || name !== 'cpu' || backends.length === 1;
  test.skipIf(!chunked)(
    `in batches, and in more chunks than one${chunked ? '' : ' (long: another backend has it)'}`,
    async () => {
      const [[n], [m, d]] = [[BATCHES[0].a.length], [BATCHES[0].b.length, BATCHES[0].b[0].length]];
      await chooseBackend({ backend: name });
      const [byA] = await on(name, () => {
        const b = tf.tensor3d(BATCHES.map((set) => set.b));
        const pull = tf.tensor3d(
          BATCHES.map((set) => set.pull),
          [BATCHES.length, n, m],
        );
        const loss = (x: tf.Tensor) =>
          tf.sum(tf.mul(pairwiseDistanceTensor(x as tf.Tensor3D, b, { metric: 'euclidean' }), pull));
        return [tf.grad(loss)(tf.tensor3d(BATCHES.map((set) => set.a)))];
      });
      BATCHES.forEach(({ expected }, i) => {
        expect(worst(byA.values.slice(i * n * d, (i + 1) * n * d), expected)).toBeLessThan(1e-4);
      });
    },
  );

  test('to the nearest centroid, far from 0', async () => {
    const [x, c] = [points(9, 5, 'x', [1e3], 1e-2), points(3, 5, 'c', [1e3], 1e-2)];
    await chooseBackend({ backend: name });
    const [labels, byPoints, byCentroids] = await on(name, () => {
      const [p, q] = [tf.tensor2d(x), tf.tensor2d(c)];
      const loss = (p: tf.Tensor, q: tf.Tensor) =>
        tf.sum(nearestCentroidTensor(p as tf.Tensor2D, q as tf.Tensor2D).distances);
      return [nearestCentroidTensor(p, q).labels, ...tf.grads(loss)([p, q])];
    });
    const pull = x.map((_, i) => c.map((_, j) => (labels.values[i] === j ? 1 : 0)));
    expect(worst(byPoints.values, expectedBy('sqeuclidean', x, c, pull))).toBeLessThan(1e-4);
    expect(worst(byCentroids.values, expectedBy('sqeuclidean', c, x, transposed(pull)))).toBeLessThan(1e-4);
  });

  test('a gradient of the gradient', async () => {
    const [a, b] = [points(4, 3, 'a', [2], 1), points(5, 3, 'b', [2], 1)];
    await chooseBackend({ backend: name });
    const [second] = await on(name, () => {
      const q = tf.tensor2d(b);
      const first = (p: tf.Tensor) =>
        tf.sum(tf.square(tf.grad((x) => tf.sum(pairwiseDistanceTensor(x as tf.Tensor2D, q)))(p)));
      return [tf.grad(first)(tf.tensor2d(a))];
    });
    // first = Σ_i |2 Σ_j (a_i - b_j)|², whose gradient is 8 m Σ_j (a_i - b_j).
    const expected = a.map((p) => p.map((x, c) => b.reduce((sum, q) => sum + 8 * b.length * (x - q[c]), 0)));
    expect(worst(second.values, expected)).toBeLessThan(1e-4);
  });
});
