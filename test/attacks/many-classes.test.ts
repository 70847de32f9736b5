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

test.each([0.1, 0.001])('soft-kmeans at T %s: its gradient is what tfjs itself finds', (temperature) => {
  const [embeddings, centroids] = [unitRows(40), unitRows(60)];
  const own = Int32Array.from({ length: 40 }, (_, i) => (i * 37) % 60);
  const inputs = { clean: () => embeddings, labels: own, centroids, random: randomStream(1) };
  const bound = objective('soft-kmeans', { temperature }).bind(inputs);
  const plain = plainSoftKmeans(embeddings, centroids, own, temperature);
  const [received, expected] = [bound, plain].map((value) =>
    tf
      .grad((e: tf.Tensor) => tf.sum(value(e as tf.Tensor2D)))(embeddings)
      .dataSync(),
  );
  const scale = Math.max(...expected.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  // Exponents are as large as 1 / T, and have as many roundings.
  const most = 1e-6 / temperature;
  for (const [i, value] of expected.entries()) expect(Math.abs(received[i] - value) / scale).toBeLessThan(most);
});

/** The same value, op by op. */
function plainSoftKmeans(clean: tf.Tensor2D, centroids: tf.Tensor2D, own: Int32Array, temperature: number) {
  const origin = tf.mean(centroids, 0, true);
  const spread = tf.mean(tf.sum(tf.square(tf.sub(clean, tf.mean(clean, 0, true))), 1));
  const share = tf.div(tf.oneHot(tf.tensor1d(own, 'int32'), CLASSES), own.length);
  return (embeddings: tf.Tensor2D) => {
    const e = tf.sub<tf.Tensor2D>(embeddings, origin);
    let c = tf.sub<tf.Tensor2D>(centroids, origin);
    const shares = () => {
      const distances = tf.sub(tf.reshape(tf.sum(tf.square(c), 1), [1, -1]), tf.mul(2, tf.matMul(e, c, false, true)));
      return tf.softmax(tf.neg(tf.div<tf.Tensor2D>(distances, tf.mul(spread, temperature))));
    };
    for (let i = 0; i < 5; i++) {
      const r = shares();
      c = tf.div(tf.matMul(r, e, true, false), tf.maximum(tf.reshape(tf.sum(r, 0), [-1, 1]), 1e-12));
    }
    const joint = tf.matMul(share as tf.Tensor2D, shares(), true, false);
    const independent = tf.matMul(tf.sum(joint, 1, true) as tf.Tensor2D, tf.sum(joint, 0, true) as tf.Tensor2D);
    const ratio = tf.sub(tf.log(tf.add(joint, 1e-12)), tf.log(tf.add(independent, 1e-12)));
    return tf.reshape(tf.neg(tf.sum(tf.mul(joint, ratio))), [1]) as tf.Tensor1D;
  };
}
