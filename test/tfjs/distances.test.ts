import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Metric } from '../../src/kernels/index.js';
import { chooseBackend, nearestCentroidTensor, pairwiseDistanceTensor } from '../../src/tfjs/index.js';
import { backends } from './backends.js';
import { difference, noise, on } from './close.js';

const a = noise([7, 5], 'a');
const b = noise([4, 5], 'b');
const pull = noise([7, 4], 'pull');
a.fill(0, 5, 10); // a zero row

/** The definitions, in tfjs's own differentiable operations. */
const composed: Record<Metric, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
  sqeuclidean: (x, y) => tf.sum(tf.square(tf.sub(tf.expandDims(x, 1), tf.expandDims(y, 0))), -1),
  euclidean: (x, y) => tf.sqrt(composed.sqeuclidean(x, y)),
  dot: (x, y) => tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D, false, true),
  cosine: (x, y) => {
    const unit = (t: tf.Tensor) => tf.mul(t, tf.rsqrt(tf.maximum(tf.sum(tf.square(t), -1, true), 1e-30)));
    return tf.sub(1, tf.matMul(unit(x) as tf.Tensor2D, unit(y) as tf.Tensor2D, false, true));
  },
};

/** Values, and the gradients of Σ pull·D by both. */
function outputs(distances: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor): tf.Tensor[] {
  const inputs = [tf.tensor2d(a.slice(), [7, 5]), tf.tensor2d(b.slice(), [4, 5])];
  const loss = (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(distances(x, y), tf.tensor2d(pull, [7, 4])));
  return [distances(inputs[0], inputs[1]), ...tf.grads(loss)(inputs)];
}

describe.each(backends)('on %s', (name) => {
  test.each<Metric>(['sqeuclidean', 'euclidean', 'cosine', 'dot'])('%s and its gradients', async (metric) => {
    await chooseBackend({ backend: name });
    const received = await on(name, () =>
      outputs((x, y) => pairwiseDistanceTensor(x as tf.Tensor2D, y as tf.Tensor2D, { metric })),
    );
    const expected = await on('cpu', () => outputs(composed[metric]));
    // Through 1/|x| the composed gradient of a zero row is huge; ours is 0 by definition.
    const comparable = (values: number[], i: number) =>
      metric === 'cosine' && i === 1 ? values.toSpliced(5, 5) : values;
    received.forEach(({ values, shape }, i) => {
      expect(shape).toEqual(expected[i].shape);
      expect(difference(comparable(values, i), comparable(expected[i].values, i)), `output ${i}`).toBeLessThan(1e-4);
    });
    if (metric === 'cosine') expect(received[1].values.slice(5, 10).every((v) => v === 0)).toBe(true);
  });

  test('the euclidean distance of a point to itself pulls nowhere', async () => {
    await chooseBackend({ backend: name });
    const [{ values }] = await on(name, () => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      const other = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      return tf.grad((p) => tf.sum(pairwiseDistanceTensor(p as tf.Tensor2D, other, { metric: 'euclidean' })))(x);
    });
    const side = Math.SQRT1_2;
    expect(difference(values, [-side, -side, side, side])).toBeLessThan(1e-6);
  });

  test('the distance to the nearest centroid is differentiable', async () => {
    await chooseBackend({ backend: name });
    const [labels, distances, byPoints, byCentroids] = await on(name, () => {
      const points = tf.tensor2d([0, 0, 4, 0, 1, 0], [3, 2]);
      const centroids = tf.tensor2d([0, 1, 5, 0], [2, 2]);
      const found = nearestCentroidTensor(points, centroids);
      found.secondDistances.dispose();
      const loss = (x: tf.Tensor, c: tf.Tensor) => {
        return tf.sum(nearestCentroidTensor(x as tf.Tensor2D, c as tf.Tensor2D).distances);
      };
      return [found.labels, found.distances, ...tf.grads(loss)([points, centroids])];
    });
    expect(labels).toMatchObject({ values: [0, 1, 0], dtype: 'int32' });
    expect(distances.values).toEqual([1, 1, 2]);
    expect(byPoints.values).toEqual([0, -2, -2, 0, 2, -2]);
    expect(byCentroids.values.map((v) => v + 0)).toEqual([-2, 4, 2, 0]);
  });

  test('what does not fit is named', async () => {
    await chooseBackend({ backend: name });
    const x = tf.tensor2d(a, [7, 5]);
    const narrow = tf.tensor2d(b, [5, 4]);
    expect(() => pairwiseDistanceTensor(x, narrow)).toThrow(/for b but received/);
    expect(() => pairwiseDistanceTensor(x, x, { metric: 'manhattan' as never })).toThrow(/metric/);
    expect(() => nearestCentroidTensor(x, narrow)).toThrow(/for centroids/);
    expect(() => nearestCentroidTensor(tf.tensor1d([1]) as never, x)).toThrow(/for points/);
    tf.dispose([x, narrow]);
  });
});
