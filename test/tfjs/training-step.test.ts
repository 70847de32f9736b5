import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { attackStepTensor, chooseBackend } from '../../src/tfjs/index.js';
import { type backends, otherBackends } from './backends.js';
import { difference, noise } from './close.js';

const BATCH = 12;
const CLASSES = 4;

/** A small network with every operation of the demo's, max pooling too, and Proxy-Anchor written out. */
function network() {
  const weights = {
    conv1: tf.variable(tf.tensor(noise([3, 3, 1, 8], 'conv1'), [3, 3, 1, 8])),
    gamma: tf.variable(tf.add(tf.ones([8]), tf.tensor(noise([8], 'gamma')))),
    beta: tf.variable(tf.tensor(noise([8], 'beta'))),
    conv2: tf.variable(tf.tensor(noise([3, 3, 8, 16], 'conv2'), [3, 3, 8, 16])),
    dense: tf.variable(tf.tensor(noise([16, 10], 'dense'), [16, 10])),
    bias: tf.variable(tf.tensor(noise([10], 'bias'))),
    proxies: tf.variable(tf.tensor(noise([CLASSES, 10], 'proxies'), [CLASSES, 10])),
  };
  const images = tf.abs(tf.tensor4d(noise([BATCH, 9, 10, 1], 'images'), [BATCH, 9, 10, 1]));
  const labels = tf.tensor1d(
    Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES),
    'int32',
  );
  const unit = (x: tf.Tensor) => tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-12)));
  const loss = (x: tf.Tensor4D): tf.Scalar => {
    let h: tf.Tensor4D = tf.conv2d(x, weights.conv1 as tf.Tensor as tf.Tensor4D, 1, 'same');
    const { mean, variance } = tf.moments(h, [0, 1, 2]);
    h = tf.relu(
      tf.batchNorm(h, mean as tf.Tensor1D, variance as tf.Tensor1D, weights.beta as never, weights.gamma as never),
    );
    h = tf.conv2d(tf.maxPool(h, 2, 2, 'same'), weights.conv2 as tf.Tensor as tf.Tensor4D, 2, 'same');
    const pooled = tf.mean<tf.Tensor2D>(tf.relu(h), [1, 2]);
    const embedded = tf.add(tf.matMul(pooled, weights.dense as tf.Tensor as tf.Tensor2D), weights.bias);
    const similarity = tf.matMul(unit(embedded) as tf.Tensor2D, unit(weights.proxies) as tf.Tensor2D, false, true);
    const own = tf.cast(tf.oneHot(labels, CLASSES), 'float32');
    const positive = tf.sum(tf.mul(own, tf.exp(tf.mul(-8, tf.sub(similarity, 0.1)))), 0);
    const negative = tf.sum(tf.mul(tf.sub(1, own), tf.exp(tf.mul(8, tf.add(similarity, 0.1)))), 0);
    return tf.add(tf.mean(tf.log1p(positive)), tf.mean(tf.log1p(negative)));
  };
  return { weights, images, labels, loss };
}

type Network = ReturnType<typeof network>;

/** Loss, every gradient by the weights, and the image after one attack step. */
function step({ weights, images, loss }: Network): Record<string, Float32Array> {
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(() => loss(images), Object.values(weights));
    const gradient = tf.grad((x) => loss(x as tf.Tensor4D))(images) as tf.Tensor4D;
    const attack = { norm: 'l2', epsilon: 1, stepSize: 0.5, box: [0, 1] as [number, number] } as const;
    const attacked = attackStepTensor({ origin: images, current: images, gradient, ...attack });
    const tensors = Object.entries(weights).map(([name, variable]) => [name, grads[variable.name]] as const);
    const all = Object.fromEntries([['loss', value], ['attacked', attacked], ...tensors]);
    return Object.fromEntries(
      Object.entries(all).map(([name, t]) => [name, (t as tf.Tensor).dataSync().slice() as Float32Array]),
    );
  });
}

async function stepOn(name: (typeof backends)[number]) {
  await chooseBackend({ backend: name });
  const net = network();
  const result = step(net);
  tf.dispose([net.weights, net.images, net.labels]);
  return result;
}

describe('a training step and an attack step', () => {
  test.each(otherBackends)('%s gives what cpu gives', async (name) => {
    const expected = await stepOn('cpu');
    const received = await stepOn(name);
    for (const [what, values] of Object.entries(expected)) {
      expect(difference(received[what], values), what).toBeLessThanOrEqual(1e-4);
      expect(values.every(Number.isFinite), what).toBe(true);
    }
    expect(expected.attacked).not.toEqual(Float32Array.from(noise([BATCH, 9, 10, 1], 'images'), Math.abs));
  });

  test.each(otherBackends)('%s keeps no tensor over 100 steps', async (name) => {
    await chooseBackend({ backend: name });
    const net = network();
    const optimizer = tf.train.adam(1e-3);
    const train = () =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => net.loss(net.images), Object.values(net.weights));
        optimizer.applyGradients(grads as never);
        step(net);
      });
    train();
    const before = tf.memory().numTensors;
    const first = step(net).loss[0];
    for (let i = 0; i < 100; i++) train();
    expect(tf.memory().numTensors).toBe(before);
    expect(step(net).loss[0]).toBeLessThan(first);
    tf.dispose([net.weights, net.images, net.labels]);
    optimizer.dispose();
  });
});
