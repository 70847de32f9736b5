import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { proxyAnchor } from '../../src/losses/index.js';
import { batchNormTraining, chooseBackend, convActivated, sumRelu } from '../../src/tfjs/index.js';
import { AdamW } from '../../src/training/adamw.js';
import { anchorCases as anchors } from '../losses/anchor-goldens.js';
import { difference, noise } from './close.js';
import { describeWebgpu } from './describe-webgpu.js';

describeWebgpu('kernels of the backend webgpu', () => {
  // Tiles cut by every side, sums in parts, strides, paddings of all forms.
  const shapes: [string, number[], number[], number, tf.backend_util.ExplicitPadding | 'same' | 'valid' | number][] = [
    ['small', [4, 9, 11, 3], [3, 3, 3, 5], 1, 'same'],
    ['in several parts', [4, 20, 20, 2], [3, 3, 2, 3], 1, 1],
    ['with more columns than a tile', [1, 6, 6, 3], [3, 3, 3, 70], 2, 'same'],
    ['of a first layer', [2, 12, 12, 3], [7, 7, 3, 4], 2, 'valid'],
    ['1 x 1', [2, 5, 5, 33], [1, 1, 33, 6], 1, 'valid'],
    [
      'padded unequally',
      [2, 8, 8, 4],
      [3, 3, 4, 4],
      2,
      [
        [0, 0],
        [1, 2],
        [2, 1],
        [0, 0],
      ],
    ],
  ];
  test.each(shapes)('the gradients of a convolution that is %s', async (_, shape, filterShape, strides, pad) => {
    const gradients = async (backend: 'native' | 'webgpu') => {
      await chooseBackend({ backend });
      const x = tf.tensor4d(noise(shape, 'x'), shape as [number, number, number, number]);
      const filter = tf.tensor4d(noise(filterShape, 'w'), filterShape as [number, number, number, number]);
      const before = tf.memory().numTensors;
      const both = tf.tidy(() => {
        // By random weights, so that no two positions are worth the same.
        const y = tf.conv2d(x, filter, strides, pad as 'same');
        const dy = tf.tensor4d(noise(y.shape, 'dy'), y.shape);
        const of = (x: tf.Tensor, w: tf.Tensor) =>
          tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad as 'same');
        return tf.grads(of)([x, filter], dy);
      });
      const values = [await both[0].data(), await both[1].data()];
      tf.dispose(both);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([x, filter]);
      return values;
    };
    const expected = await gradients('native');
    const received = await gradients('webgpu');
    for (const i of [0, 1]) {
      expect(expected[i].some((v) => v !== 0)).toBe(true);
      expect(difference(received[i], expected[i])).toBeLessThan(1e-5);
    }
  });

  const layers = [false, true].flatMap((depthwise) =>
    (['none', 'relu', 'relu6'] as const).map((activation) => ({ depthwise, activation })),
  );
  test.each(layers)('a convolution with $activation, depthwise: $depthwise, and its gradients', async (layer) => {
    const all = async (backend: 'native' | 'webgpu') => {
      await chooseBackend({ backend });
      const make = (shape: number[], name: string, factor = 1) => tf.tensor(noise(shape, name), shape).mul(factor);
      const operands = [
        make([2, 9, 8, 6], 'x', 4),
        make([3, 3, 6, layer.depthwise ? 1 : 7], 'w'),
        make([layer.depthwise ? 6 : 7], 'b'),
      ];
      const before = tf.memory().numTensors;
      const results = tf.tidy(() => {
        const of = (...[x, w, b]: tf.Tensor[]) =>
          convActivated(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D, { strides: 2, pad: 1, ...layer });
        const y = of(...operands);
        return [y, ...tf.grads(of)(operands, tf.tensor(noise(y.shape, 'dy'), y.shape))];
      });
      const values = await Promise.all(results.map((t) => t.data()));
      tf.dispose(results);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose(operands);
      return values;
    };
    const [expected, received] = [await all('native'), await all('webgpu')];
    if (layer.activation === 'relu6') expect(expected[0]).toContain(6);
    for (const i of [0, 1, 2, 3]) expect(difference(received[i], expected[i])).toBeLessThan(3e-5);
  });

  test('the rectified sum of two tensors, and its gradients', async () => {
    const all = async (backend: 'native' | 'webgpu') => {
      await chooseBackend({ backend });
      const [a, b, dy] = ['a', 'b', 'dy'].map((name) => tf.tensor(noise([3, 70], name), [3, 70]));
      const results = [sumRelu(a, b), ...tf.grads((a, b) => sumRelu(a, b))([a, b], dy)];
      return Promise.all(results.map((t) => t.data()));
    };
    const expected = await all('native');
    expect(expected[0].some((v) => v > 0) && expected[0].includes(0)).toBe(true);
    expect(await all('webgpu')).toEqual(expected);
  });

  const norms = (['none', 'relu', 'relu6'] as const).flatMap((activation) =>
    [
      [40, 70],
      [3, 9, 9, 5],
      [2, 40, 40, 1],
    ].map((shape) => ({ activation, shape })),
  );
  test.each(norms)('batch normalisation in training, $activation of $shape', async ({ activation, shape }) => {
    const all = async (backend: 'native' | 'webgpu') => {
      await chooseBackend({ backend });
      const channels = shape.at(-1)!;
      // Far from 0 beside its spread: a variance by the squares' mean alone would be off.
      const x = tf.tensor(
        noise(shape, 'x').map((v) => 30 + v),
        shape,
      );
      const [scale, offset] = ['scale', 'offset'].map((name) => tf.tensor1d(noise([channels], name).map((v) => 2 + v)));
      const dy = tf.tensor(noise(shape, 'dy'), shape);
      const before = tf.memory().numTensors;
      const results = tf.tidy(() => {
        const of = (...[x, scale, offset]: tf.Tensor[]) =>
          batchNormTraining(x, scale as tf.Tensor1D, offset as tf.Tensor1D, { epsilon: 1e-3, activation });
        const { y, mean, variance } = of(x, scale, offset);
        return [y, mean, variance, ...tf.grads((...args) => of(...args).y)([x, scale, offset], dy)];
      });
      const values = await Promise.all(results.map((t) => t.data()));
      tf.dispose(results);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([x, scale, offset, dy]);
      return values;
    };
    const expected = await all('native');
    const received = await all('webgpu');
    // Two units in the last place of a mean of 30 (4e-6), over the spread (0.57), are 7e-6 in each term that a sum adds up.
    const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const most = { y: 2e-4, mean: 2e-6, variance: 2e-6, dx: 2e-4, dScale: 7e-6 * rows, dOffset: 1e-6 * rows };
    for (const [i, [part, bound]] of Object.entries(most).entries()) {
      expect(difference(received[i], expected[i]), part).toBeLessThan(bound);
    }
  });

  test('the one pass of Proxy-Anchor and AdamW outside of a tidy leaves nothing behind', async () => {
    await chooseBackend({ backend: 'webgpu' });
    const [e, p] = [
      [6, 5],
      [3, 5],
    ].map((shape) => tf.tensor2d(noise(shape, 'rows'), shape as [number, number]));
    const labels = tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32');
    const weight = tf.variable(e);
    const optimizer = new AdamW([{ variables: [weight], learningRate: 0.1, weightDecay: 0 }]);
    const before = tf.memory().numTensors;
    const loss = proxyAnchor()(e, labels, p);
    expect(Number.isFinite((await loss.data())[0])).toBe(true);
    loss.dispose();
    optimizer.update({ [weight.name]: e });
    expect(tf.memory().numTensors).toBe(before);
    optimizer.dispose();
    tf.dispose([e, p, labels, weight]);
  });

  test.each(anchors.map((c, i) => [i, c] as const))('Proxy-Anchor of golden %i, and its gradients', async (_, c) => {
    await chooseBackend({ backend: 'webgpu' });
    const results = tf.tidy(() => {
      const labels = tf.tensor1d(c.labels, 'int32');
      const of = proxyAnchor({ alpha: c.alpha, delta: c.delta });
      const gradients = tf.valueAndGrads((e, p) => of(e as tf.Tensor2D, labels, p as tf.Tensor2D));
      const { value, grads } = gradients([tf.tensor2d(c.embeddings), tf.tensor2d(c.proxies)]);
      return [value, ...grads];
    });
    const expected = [[c.value], c.gradEmbeddings.flat(), c.gradProxies.flat()];
    for (const [i, tensor] of results.entries()) {
      const largest = expected[i].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const received = await tensor.data();
      for (const [j, value] of expected[i].entries())
        expect(Math.abs(received[j] - value) / largest).toBeLessThan(1e-4);
    }
    tf.dispose(results);
  });
});
