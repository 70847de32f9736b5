import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { objective } from '../../src/attacks/index.js';
import { randomStream } from '../../src/random.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { QUICKER } from '../evaluation/brief.js';

const [N, CLASSES, D] = [512, 2100, 3];
const { normal } = randomStream(1, 'many classes');
const labels = Int32Array.from({ length: N }, (_, i) => (i * 37) % CLASSES);

function unitRows(rows: number): tf.Tensor2D {
  return tf.tidy(() => {
    const x = tf.tensor2d(Float32Array.from({ length: rows * D }, normal), [rows, D]);
    return tf.div(x, tf.norm(x, 2, 1, true));
  });
}

beforeAll(() => chooseBackend({ backend: QUICKER }));

/** The value, its gradient by the embeddings, and the most bytes of tensors on the way. */
async function climbed(name: string, embeddings: tf.Tensor2D, centroids: tf.Tensor2D) {
  const bound = objective(name).bind({ clean: () => embeddings, labels, centroids, random: randomStream(1) });
  const before = tf.memory().numBytes;
  let found: { value: tf.Tensor; grad: tf.Tensor } | undefined;
  const { peakBytes } = await tf.profile(() => {
    found = tf.valueAndGrad((e: tf.Tensor) => tf.sum(bound(e as tf.Tensor2D)))(embeddings);
    return found.value;
  });
  return {
    ...found!,
    bytes: peakBytes - before,
    at: (e: tf.Tensor2D) => tf.tidy(() => tf.sum(bound(e)).dataSync()[0]),
  };
}

test.each([
  ['soft-kmeans', 45 * N * CLASSES * 4],
  ['joint-set', 4 * N * CLASSES * 4],
])('%s over many classes: its gradient is that of its value, in little memory', async (name, most) => {
  const [embeddings, centroids, direction] = [unitRows(N), unitRows(CLASSES), unitRows(N)];
  const { grad, bytes, at } = await climbed(name, embeddings, centroids);
  const step = 1e-3;
  const [up, down] = [step, -step].map((by) => at(tf.add(embeddings, tf.mul(direction, by))));
  const along = tf.sum(tf.mul(grad, direction)).dataSync()[0];
  expect(Math.abs((up - down) / (2 * step) / along - 1)).toBeLessThan(0.02);
  expect(bytes).toBeLessThan(most);
});
