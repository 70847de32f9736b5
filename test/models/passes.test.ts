import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Embedder, ImageShape } from '../../src/models/embedder.js';
import type { Layer, Padding } from '../../src/models/layers.js';
import { networkModel } from '../../src/models/network.js';
import { survey } from '../../src/models/survey.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { startKernelProfile, stopKernelProfile } from '../../src/tfjs/index.js';
import { availableBackends } from './backends.js';

const norm = (name: string) => ({ name, momentum: 0.75, epsilon: 1e-3 });
const conv = (name: string, filters: number, padding: Padding, more: object = {}): Layer =>
  ({
    type: 'conv',
    name,
    filters,
    size: 3,
    strides: 1,
    padding,
    norm: norm(`${name}.bn`),
    activation: 'relu',
    ...more,
  }) as Layer;

/** Every kind of layer: biases with and without a normalisation, both paddings, a shortcut, a row that a stack can do. */
const LAYERS: Layer[] = [
  conv('stem', 4, 1, { bias: true, strides: 2 }),
  { type: 'max-pool', size: 3, strides: 2, padding: 1 },
  { type: 'sum', activation: 'relu6', branches: [[conv('a', 4, 1), conv('b', 4, 'same')], []] },
  { type: 'sum', activation: 'relu', branches: [[conv('c', 3, 1), conv('d', 4, 1, { activation: 'none' })], []] },
  {
    ...{ type: 'sum', activation: 'relu' },
    branches: [[conv('e', 4, 'same', { activation: 'none' })], [conv('f', 4, 'same', { size: 1, activation: 'none' })]],
  },
  { type: 'depthwise', name: 'deep', size: 3, strides: 1, padding: 1, norm: norm('deep.bn'), activation: 'relu6' },
  conv('last', 6, 'valid', { size: 1, norm: undefined, bias: true, activation: 'none' }),
  { type: 'mean-pool' },
  { type: 'dense', name: 'embedding', units: 5 },
];
const SHAPE: ImageShape = [13, 11, 2];
const images = () => tf.randomUniform<tf.Rank.R4>([4, ...SHAPE], 0, 1, 'float32', 1);

/** Biases and statistics that are not what a network begins with. */
function unlike(embedder: Embedder): Embedder {
  tf.tidy(() => {
    [...embedder.weights.values()].forEach((variable, i) => {
      variable.assign(tf.add(variable, tf.randomUniform(variable.shape, -0.1, 0.1, 'float32', i)));
    });
  });
  return embedder;
}

const far = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);

describe.each(await availableBackends())('the passes of one description on %s', (backend) => {
  test('folded, frozen and as tfjs layers are one function, with one gradient, and nothing is left', async () => {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const embedder = unlike(networkModel('mine', {}, LAYERS).build(SHAPE, 1));
    const layers = toLayersModel([embedder]);
    tf.tidy(() => {
      const passes = [embedder.apply, embedder.apply.frozen!().apply, (x: tf.Tensor) => layers.apply(x) as tf.Tensor2D];
      const values = passes.map((pass) => pass(images()));
      const gradients = passes.map((pass) =>
        tf.grad((x) => tf.sum(tf.mul(pass(x as tf.Tensor4D), tf.range(0, 5))))(images()),
      );
      for (const i of [1, 2]) {
        expect(far(values[i], values[0])).toBeLessThan(2e-6);
        expect(far(gradients[i], gradients[0]) / tf.max(tf.abs(gradients[0])).dataSync()[0]).toBeLessThan(1e-4);
      }
    });
    layers.dispose();
    embedder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('training moves the running statistics by 1 - momentum, until inference gives what training does', async () => {
    await tf.setBackend(backend);
    const embedder = unlike(networkModel('mine', {}, LAYERS).build(SHAPE, 1));
    tf.tidy(() => {
      const [x, mean] = [images(), embedder.weights.get('stem.bn/moving_mean')!];
      const [kernel, bias] = ['kernel', 'bias'].map((end) => embedder.weights.get(`stem/${end}`)!);
      const padded = tf.pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]) as tf.Tensor4D;
      const product = tf.add(tf.conv2d(padded, kernel as tf.Tensor as tf.Tensor4D, 2, 'valid'), bias);
      const expected = tf.add(tf.mul(mean, 0.75), tf.mul(tf.mean(product, [0, 1, 2]), 0.25));
      embedder.apply(x, true);
      expect(far(mean, expected)).toBeLessThan(1e-5);
      for (let i = 0; i < 80; i++) tf.tidy(() => void embedder.apply(x, true));
      expect(far(embedder.apply(x), embedder.apply(x, true))).toBeLessThan(1e-4);
    });
    embedder.dispose();
  });
});

test('rows of plain convolutions with ReLU run as one stack in the frozen pass, wherever they stand', async () => {
  if (!(await availableBackends()).includes('native')) return;
  await tf.setBackend('native');
  const embedder = networkModel('mine', {}, LAYERS).build(SHAPE, 1);
  startKernelProfile();
  tf.tidy(() => void embedder.apply.frozen!().apply(images()));
  const calls = stopKernelProfile()!.kernels.map(({ kernel }) => kernel);
  expect(calls).toContain('ConvReluStack');
  expect(calls).toContain('ConvRelu');
  expect(calls).not.toContain('SumRelu');
  embedder.dispose();
});

test('filters begin as wide as what they see asks for: one channel of a depthwise convolution, all of another', async () => {
  await tf.setBackend('cpu');
  const layers: Layer[] = [
    { type: 'depthwise', name: 'deep', size: 3, strides: 1, padding: 1, bias: true },
    { type: 'conv', name: 'wide', filters: 64, size: 3, strides: 1, padding: 1, bias: true },
    { type: 'mean-pool' },
  ];
  const embedder = networkModel('mine', {}, layers).build([4, 4, 64], 1);
  const spread = (name: string) => Math.sqrt(tf.moments(embedder.weights.get(name)!).variance.dataSync()[0]);
  tf.tidy(() => {
    // A normal distribution cut at two deviations has 0.88 of it (He et al., 2015: sqrt(2 / values seen)).
    expect(spread('deep/depthwise_kernel') / (0.88 * Math.sqrt(2 / 9))).toBeCloseTo(1, 1);
    expect(spread('wide/kernel') / (0.88 * Math.sqrt(2 / (9 * 64)))).toBeCloseTo(1, 1);
  });
  embedder.dispose();
});

describe('survey', () => {
  test.each<[Padding, number, number, number, number]>([
    ['same', 3, 2, 8, 4],
    ['same', 3, 2, 7, 4],
    ['valid', 3, 2, 8, 3],
    [1, 3, 2, 8, 4],
    [3, 7, 2, 33, 17],
    [0, 1, 2, 7, 4],
  ])('padding %s, window %i, strides %i: %i become %i', (padding, size, strides, side, out) => {
    const layers: Layer[] = [{ type: 'max-pool', size, strides, padding }];
    expect(survey(layers, [side, side, 2]).output).toEqual([out, out, 2]);
    const pass = networkModel('pool', {}, [...layers, { type: 'mean-pool' }]).build([side, side, 2], 1);
    expect(pass.embedding).toBe(2);
  });

  test('images that are too small are refused in one sentence', () => {
    expect(() => survey([conv('a', 2, 'valid')], [2, 9, 1])).toThrow(
      'Expected larger images: a window of 3 finds no place on 2 x 9 pixels.',
    );
  });
});
