import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Metric } from '../../src/kernels/index.js';
import {
  chooseBackend,
  nearestCentroidTensor,
  pairwiseDistanceTensor,
  tensorKernelCalls,
} from '../../src/tfjs/index.js';
import { LONG } from '../long.js';
import { difference, noise } from './close.js';
import { describeWebgpu } from './describe-webgpu.js';
import { INNER, meet } from './stranger.js';

afterAll(() => chooseBackend({ backend: INNER }));

type Values = ArrayLike<number>[];

/** What the tensors hold, read as a backend is that cannot be read at once; none is left. */
async function read(make: () => tf.Tensor[]): Promise<Values> {
  const before = tf.memory().numTensors;
  const made = tf.tidy(make);
  const values = await Promise.all(made.map((t) => t.data()));
  tf.dispose(made);
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

/** A zero row, and points near each other and far from 0. */
function points(shape: number[], name: string): tf.Tensor {
  const values = noise(shape, name).map((x) => 100 + x / 50);
  values.fill(0, 0, shape.at(-1));
  return tf.tensor(values, shape);
}

function distances(a: number[], b: number[], metric: Metric): () => tf.Tensor[] {
  return () => {
    const [x, y] = [points(a, 'a'), points(b, 'b')];
    const of = (p: tf.Tensor, q: tf.Tensor) => pairwiseDistanceTensor(p as tf.Tensor2D, q as tf.Tensor2D, { metric });
    const made = of(x, y);
    return [made, ...tf.grads(of)([x, y], tf.tensor(noise(made.shape, 'pull'), made.shape))];
  };
}

function nearest(k: number): () => tf.Tensor[] {
  return () => {
    const x = points([9, 5], 'a') as tf.Tensor2D;
    const first = points([Math.ceil(k / 2), 5], 'b');
    // Each centroid twice, but the last: the lower label is taken.
    const c = tf.slice(tf.concat([first, first], 0), [0, 0], [k, -1]) as tf.Tensor2D;
    const { labels, distances, secondDistances } = nearestCentroidTensor(x, c);
    const of = (p: tf.Tensor, q: tf.Tensor) => nearestCentroidTensor(p as tf.Tensor2D, q as tf.Tensor2D).distances;
    return [labels, distances, secondDistances, ...tf.grads(of)([x, c], tf.tensor1d(noise([9], 'pull')))];
  };
}

const CASES: [string, () => tf.Tensor[]][] = [
  ...(['sqeuclidean', 'euclidean', 'cosine', 'dot'] as const).flatMap((metric): [string, () => tf.Tensor[]][] => [
    [metric, distances([7, 5], [4, 5], metric)],
    [`${metric} of batches`, distances([3, 4, 5], [3, 6, 5], metric)],
  ]),
  // Rows that go through in several chunks.
  ['a few rows beside many', distances([3, 40], [LONG ? 70_000 : 36_000, 40], 'sqeuclidean')],
  ...[1, 2, 7].map((k): [string, () => tf.Tensor[]] => [`the nearest of ${k}`, nearest(k)]),
];

async function agrees(make: () => tf.Tensor[], to: () => Promise<unknown>): Promise<void> {
  await chooseBackend({ backend: INNER });
  const expected = await read(make);
  await to();
  const received = await read(make);
  for (const [i, values] of expected.entries()) {
    const scale = Math.max(
      ...Array.from(values.length > 1e5 ? [1] : values, (v) => (Number.isFinite(v) ? Math.abs(v) : 0)),
      1e-30,
    );
    const scaled = (of: ArrayLike<number>) => Array.from(of, (v) => v / scale);
    expect(difference(scaled(received[i]), scaled(values)), `output ${i}`).toBeLessThan(2e-5);
  }
}

describe('distances of tensors that cannot be read at once', () => {
  test.each(CASES)('%s', (_, make) => agrees(make, () => meet('unreadable')));

  test('are counted as operations', () => {
    expect(
      tensorKernelCalls()
        .filter(({ path }) => path === 'operations')
        .map(({ kernel }) => kernel),
    ).toEqual(expect.arrayContaining(['pairwiseDistance', 'nearestCentroid']));
  });
});

describeWebgpu('distances of tensors on webgpu', () => {
  // In software the large one takes minutes.
  test.each(CASES.filter(([name]) => !name.startsWith('a few rows')))('%s', (_, make) =>
    agrees(make, () => chooseBackend({ backend: 'webgpu' })),
  );
});
