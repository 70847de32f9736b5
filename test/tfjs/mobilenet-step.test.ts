import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { proxyAnchor } from '../../src/losses/index.js';
import { mobilenetV2Trunk } from '../../src/models/backbones/mobilenet-v2.js';
import type { Layer } from '../../src/models/layers.js';
import { networkModel } from '../../src/models/network.js';
import { type KernelProfile, startKernelProfile, stopKernelProfile } from '../../src/tfjs/index.js';
import { AdamW } from '../../src/training/adamw.js';
import { describeNative } from './backends.js';
import { noise } from './close.js';

const BATCH = 6;
const SIDE = 16;
const CLASSES = 4;
const COLUMNS = 10;

/** A small MobileNetV2 (Sandler et al., 2018), with its blocks of every kind. */
const BLOCKS = [
  { expansion: 6, channels: 8, count: 1, strides: 1 },
  { expansion: 6, channels: 12, count: 2, strides: 2 },
];
const LAYERS: Layer[] = [
  ...mobilenetV2Trunk(8, BLOCKS, 12, (name) => ({ name, momentum: 0.9, epsilon: 1e-5 })),
  { type: 'mean-pool' },
  { type: 'dense', name: 'embedding', units: COLUMNS },
];

interface Step {
  loss: number;
  gradients: Float32Array[];
  profile?: KernelProfile;
}

/** One training step on `backend`: the loss, its gradients, and an update. */
async function step(backend: string): Promise<Step> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const net = networkModel('small', {}, LAYERS).build([SIDE, SIDE, 3], 1);
  const start = noise([CLASSES, COLUMNS], 'proxies');
  const proxies = tf.tidy(() => tf.variable(tf.tensor2d(start, [CLASSES, COLUMNS])));
  const variables = [...net.variables(), proxies as tf.Tensor as tf.Variable];
  const optimizer = new AdamW([{ variables, learningRate: 1e-3, weightDecay: 1e-4 }]);
  const images = tf.tensor4d(noise([BATCH, SIDE, SIDE, 3], 'images'), [BATCH, SIDE, SIDE, 3]);
  const labels = tf.tensor1d([0, 1, 2, 3, 0, 1], 'int32');
  startKernelProfile();
  const result = tf.tidy(() => {
    const lossOf = () => proxyAnchor()(net.apply(images, true), labels, proxies);
    const { value, grads } = tf.variableGrads(lossOf, variables);
    optimizer.update(grads);
    const gradients = variables.map(({ name }) => grads[name].dataSync() as Float32Array);
    return { loss: value.dataSync()[0], gradients };
  });
  const profile = stopKernelProfile();
  optimizer.dispose();
  net.dispose();
  tf.dispose([images, labels, proxies]);
  expect(tf.memory().numTensors).toBe(before);
  return { ...result, profile };
}

/** Kernels that make a tensor without computing one. */
const HARMLESS = ['Cast', 'ExpandDims', 'Fill', 'Identity', 'OnesLike', 'Reshape', 'ZerosLike'];

describeNative('a training step of a small MobileNetV2', () => {
  test('gives what the cpu backend gives, by the kernels of the addon', async () => {
    const expected = await step('cpu');
    const received = await step('native');
    expect(Math.abs(received.loss / expected.loss - 1)).toBeLessThanOrEqual(1e-4);
    // Offsets and weights that the next normalisation takes out again have gradients of 0, but for rounding.
    const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const floor = Math.max(...expected.gradients.map(largest)) / 100;
    expected.gradients.forEach((gradient, i) => {
      const worst = largest(gradient.map((value, at) => value - received.gradients[i][at]));
      expect(worst / Math.max(floor, largest(gradient)), `gradient ${i}`).toBeLessThanOrEqual(1e-4);
    });
    const kernels = received.profile!.kernels;
    expect(kernels.filter(({ path }) => path === 'native').length).toBeGreaterThan(15);
    const inherited = kernels.filter(({ path, kernel }) => path === 'inherited' && !HARMLESS.includes(kernel));
    expect(inherited.map(({ kernel }) => kernel)).toEqual([]);
  });
});
