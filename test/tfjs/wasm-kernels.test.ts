import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerWasmBackend } from '../../src/tfjs/wasm/backend.js';
import { expectSame, noise } from './close.js';

type Shape4D = [number, number, number, number];
const tensor = <T extends tf.Tensor>(shape: number[], name: string) => tf.tensor(noise(shape, name), shape) as T;

const run = (name: string, inputs: tf.NamedTensorMap, attrs: object) =>
  tf.engine().runKernel(name, inputs, attrs as never) as tf.Tensor;
const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0];

beforeAll(registerWasmBackend);

const explicit: tf.backend_util.ExplicitPadding = [
  [0, 0],
  [2, 1],
  [0, 2],
  [0, 0],
];
const images: Shape4D[] = [
  [1, 5, 7, 3],
  [3, 8, 6, 1],
  [2, 9, 9, 4],
];
const strides: [number, number][] = [
  [1, 1],
  [2, 2],
  [2, 1],
];
const pads = ['same', 'valid', explicit] as const;
const combinations = images.flatMap((image) =>
  strides.flatMap((stride) => pads.map((pad) => ({ image, stride, pad, label: JSON.stringify([image, stride, pad]) }))),
);

describe('gradients of convolution on wasm equal cpu', () => {
  test.each(combinations)('conv2d $label', async ({ image, stride, pad }) => {
    for (const [height, width, filters] of [
      [3, 3, 5],
      [2, 4, 1],
      [1, 1, 6],
    ]) {
      const filter: Shape4D = [height, width, image[3], filters];
      await expectSame('wasm', () => {
        const grad = tf.grads((x, w) =>
          tf
            .conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad)
            .square()
            .sum(),
        );
        return grad([tensor(image, 'x'), tensor(filter, 'w')]);
      });
    }
  });

  test.each(combinations)('depthwise $label', async ({ image, stride, pad }) => {
    for (const multiplier of [1, 3]) {
      await expectSame('wasm', () => {
        const grad = tf.grads((x, w) =>
          tf
            .depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad)
            .square()
            .sum(),
        );
        return grad([tensor(image, 'x'), tensor([3, 2, image[3], multiplier], 'w')]);
      });
    }
  });

  // tfjs's cpu kernels leave dilation out, so the transposes are held against the forward pass itself:
  // <dy, conv(x, w)> = <w, backpropFilter(x, dy)> = <x, backpropInput(dy, w)>.
  test.each(images.flatMap((image) => pads.map((pad) => ({ image, pad, label: JSON.stringify([image, pad]) }))))(
    'dilated depthwise $label',
    async ({ image, pad }) => {
      await tf.setBackend('wasm');
      tf.tidy(() => {
        const x = tensor<tf.Tensor4D>(image, 'x');
        const filter = tensor<tf.Tensor4D>([2, 3, image[3], 2], 'w');
        const attrs = { strides: [1, 1], dilations: [2, 1], pad };
        const y = run('DepthwiseConv2dNative', { x, filter }, attrs);
        const dy = tensor<tf.Tensor4D>(y.shape, 'dy');
        const dFilter = run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape });
        const dx = run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attrs, inputShape: x.shape });
        const expected = dot(dy, y);
        expect(dot(filter, dFilter)).toBeCloseTo(expected, 3);
        expect(dot(x, dx)).toBeCloseTo(expected, 3);
      });
    },
  );
});

test('the gradient by the image is right where the batch does not fit into one product', async () => {
  await tf.setBackend('wasm');
  tf.tidy(() => {
    const x = tensor<tf.Tensor4D>([9, 64, 64, 64], 'x');
    const filter = tensor<tf.Tensor4D>([3, 3, 64, 4], 'w');
    const y = tf.conv2d(x, filter, 1, 'same');
    const dy = tensor<tf.Tensor4D>(y.shape, 'dy');
    const attrs = { strides: 1, pad: 'same', inputShape: x.shape, dataFormat: 'NHWC' };
    const dx = run('Conv2DBackpropInput', { dy, filter }, attrs);
    for (const image of [0, 6, 7, 8]) {
      const part = (t: tf.Tensor) => tf.slice(t, image, 1);
      const [expected, received] = [dot(part(dy), part(y)), dot(part(x), part(dx))];
      expect(Math.abs(received - expected)).toBeLessThan(1e-3 * Math.abs(expected) + 0.1);
    }
  });
});

describe('other kernels that wasm lacks', () => {
  test('unsortedSegmentSum adds rows by id and leaves out ids beyond the segments', async () => {
    const ids = [2, 0, 2, 4, 0];
    await expectSame('wasm', () => [
      tf.unsortedSegmentSum(tensor([5, 3, 2], 'x'), tf.tensor1d(ids, 'int32'), 5),
      tf.unsortedSegmentSum(tensor([5], 'y'), tf.tensor1d(ids, 'int32'), 3),
      tf.unsortedSegmentSum(tensor<tf.Tensor>([5, 1], 'z'), tf.tensor1d([-1, 0, 1, -7, 9], 'int32'), 2),
    ]);
  });

  test('the gradient of gather', async () => {
    await expectSame('wasm', () => {
      const indices = tf.tensor1d([1, 3, 1, 0], 'int32');
      return tf.grad((x: tf.Tensor) => tf.gather(x, indices).square().sum())(tensor([4, 6], 'g'));
    });
  });

  test.each([
    [
      'ij,jk->ik',
      [
        [3, 4],
        [4, 5],
      ],
    ],
    [
      'ijk,ik->j',
      [
        [2, 3, 4],
        [2, 4],
      ],
    ],
    ['ij->ji', [[3, 5]]],
    ['i,j->ij', [[3], [4]]],
    [
      'bij,bkj->bik',
      [
        [2, 3, 4],
        [2, 5, 4],
      ],
    ],
    ['ij->', [[3, 4]]],
  ])('einsum %s', async (equation, shapes) => {
    await expectSame('wasm', () => tf.einsum(equation, ...shapes.map((s, i) => tensor(s, `e${i}`))));
  });

  test('a missing kernel is not registered twice', async () => {
    const before = tf.getKernel('Conv2DBackpropFilter', 'wasm');
    await registerWasmBackend();
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).toBe(before);
  });
});
