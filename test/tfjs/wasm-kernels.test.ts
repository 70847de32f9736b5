import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerWasmBackend } from '../../src/tfjs/wasm/backend.js';
import { expectSame, noise } from './close.js';

type Shape4D = [number, number, number, number];
const tensor = <T extends tf.Tensor>(shape: number[], name: string) => tf.tensor(noise(shape, name), shape) as T;

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
  [3, 1],
];
const pads = ['same', 'valid', 1, explicit] as const;
const product = images.flatMap((image) =>
  strides.flatMap((stride) => pads.map((pad) => ({ image, stride, pad, label: JSON.stringify([image, stride, pad]) }))),
);

describe('gradients of convolution on wasm equal cpu', () => {
  test.each(product)('conv2d $label', async ({ image, stride, pad }) => {
    for (const [height, width, filters] of [
      [3, 3, 5],
      [2, 4, 1],
      [1, 1, 6],
    ]) {
      const filter: Shape4D = [height, width, image[3], filters];
      if (pad === 1 && height === 1) continue; // tfjs refuses padding beyond the filter
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

  test.each(product)('depthwise $label', async ({ image, stride, pad }) => {
    const dilations: [number, number][] =
      stride[0] === 1 && stride[1] === 1
        ? [
            [1, 1],
            [2, 1],
          ]
        : [[1, 1]];
    for (const dilation of dilations) {
      for (const multiplier of [1, 3]) {
        const filter: Shape4D = [3, 2, image[3], multiplier];
        await expectSame('wasm', () => {
          const grad = tf.grads((x, w) =>
            tf
              .depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', dilation)
              .square()
              .sum(),
          );
          return grad([tensor(image, 'x'), tensor(filter, 'w')]);
        });
      }
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
