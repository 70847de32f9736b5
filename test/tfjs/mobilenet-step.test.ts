import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { proxyAnchor } from '../../src/losses/index.js';
import {
  batchNormTraining,
  type KernelProfile,
  meanPool,
  startKernelProfile,
  stopKernelProfile,
} from '../../src/tfjs/index.js';
import { AdamW } from '../../src/training/adamw.js';
import { describeNative } from './backends.js';
import { noise } from './close.js';

const BATCH = 6;
const SIDE = 16;
const CLASSES = 4;
const COLUMNS = 10;

/** A small MobileNetV2 (Sandler et al., 2018): a stem, inverted residual blocks, mean pooling, a dense layer. */
class SmallMobileNet {
  readonly variables: tf.Variable[] = [];
  private readonly layers: ((x: tf.Tensor4D) => tf.Tensor4D)[];
  private readonly dense: tf.Tensor2D;

  constructor() {
    this.layers = [
      this.normalised('stem', this.convolution('stem', 3, 3, 8, 2), 8, true),
      this.block('first', 8, 8, 1),
      this.block('second', 8, 12, 2),
      this.block('third', 12, 12, 1),
    ];
    this.dense = this.weights('dense', [12, COLUMNS], 1);
  }

  apply(images: tf.Tensor4D): tf.Tensor2D {
    return tf.matMul(meanPool(this.layers.reduce((x, layer) => layer(x), images)), this.dense);
  }

  private weights<T extends tf.Tensor>(name: string, shape: number[], scale: number): T {
    this.variables.push(tf.tidy(() => tf.variable(tf.tensor(noise(shape, name), shape).mul(scale))));
    return this.variables.at(-1) as tf.Tensor as T;
  }

  private convolution(name: string, size: number, from: number, to: number, strides: number) {
    const filter = this.weights<tf.Tensor4D>(name, [size, size, from, to], 2 / (size * Math.sqrt(from)));
    return (x: tf.Tensor4D) => tf.conv2d(x, filter, strides, 'same');
  }

  private depthwise(name: string, channels: number, strides: number) {
    const filter = this.weights<tf.Tensor4D>(name, [3, 3, channels, 1], 0.7);
    return (x: tf.Tensor4D) => tf.depthwiseConv2d(x, filter, strides, 'same');
  }

  private normalised(name: string, layer: (x: tf.Tensor4D) => tf.Tensor4D, channels: number, clipped: boolean) {
    const [scale, offset] = [
      this.weights<tf.Tensor1D>(`${name} scale`, [channels], 3),
      this.weights<tf.Tensor1D>(`${name} offset`, [channels], 2),
    ];
    return (x: tf.Tensor4D) => {
      const { y } = batchNormTraining(layer(x), scale, offset, { epsilon: 1e-3 });
      return clipped ? tf.relu6(y) : y;
    };
  }

  /** Widened sixfold, filtered channel by channel, narrowed; added to what came in where the shapes agree. */
  private block(name: string, from: number, to: number, strides: number) {
    const wide = 6 * from;
    const widen = this.normalised(`${name} widen`, this.convolution(`${name} widen`, 1, from, wide, 1), wide, true);
    const filter = this.normalised(`${name} filter`, this.depthwise(`${name} filter`, wide, strides), wide, true);
    const narrow = this.normalised(`${name} narrow`, this.convolution(`${name} narrow`, 1, wide, to, 1), to, false);
    return (x: tf.Tensor4D) => {
      const y = narrow(filter(widen(x)));
      return from === to && strides === 1 ? tf.add<tf.Tensor4D>(x, y) : y;
    };
  }
}

interface Step {
  loss: number;
  gradients: Float32Array[];
  profile?: KernelProfile;
}

/** One training step on `backend`: the loss, its gradients, and an update. */
async function step(backend: string): Promise<Step> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const net = new SmallMobileNet();
  const start = noise([CLASSES, COLUMNS], 'proxies');
  const proxies = tf.tidy(() => tf.variable(tf.tensor2d(start, [CLASSES, COLUMNS])));
  const variables = [...net.variables, proxies as tf.Tensor as tf.Variable];
  const optimizer = new AdamW([{ variables, learningRate: 1e-3, weightDecay: 1e-4 }]);
  const images = tf.tensor4d(noise([BATCH, SIDE, SIDE, 3], 'images'), [BATCH, SIDE, SIDE, 3]);
  const labels = tf.tensor1d([0, 1, 2, 3, 0, 1], 'int32');
  startKernelProfile();
  const result = tf.tidy(() => {
    const lossOf = () => proxyAnchor()(net.apply(images), labels, proxies);
    const { value, grads } = tf.variableGrads(lossOf, variables);
    optimizer.update(grads);
    const gradients = variables.map(({ name }) => grads[name].dataSync() as Float32Array);
    return { loss: value.dataSync()[0], gradients };
  });
  const profile = stopKernelProfile();
  optimizer.dispose();
  tf.dispose([images, labels, ...variables]);
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
