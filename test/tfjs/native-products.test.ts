import * as tf from '@tensorflow/tfjs';
import { beforeAll, test } from 'vitest';
import { chooseBackend } from '../../src/tfjs/index.js';
import { describeNative } from './backends.js';
import { differentiated, same, tensor } from './native.js';

type Shape4D = [number, number, number, number];

beforeAll(async () => {
  await chooseBackend({ backend: 'native' }).catch(() => undefined);
});

describeNative('products', () => {
  test.each([
    [
      [3, 5],
      [5, 7],
    ],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [33, 17],
      [17, 65],
    ],
    [
      [4, 3, 5],
      [4, 5, 2],
    ],
    [
      [4, 3, 5],
      [1, 5, 2],
    ],
    [
      [1, 3, 5],
      [4, 5, 2],
    ],
    [
      [2, 3, 4, 5],
      [2, 3, 5, 6],
    ],
    [
      [0, 3],
      [3, 2],
    ],
    [
      [2, 0],
      [0, 4],
    ],
  ])('matMul %j %j', async (a, b) => {
    await same(() => tf.matMul(tensor(a, 'a'), tensor(b, 'b')));
    const turned = (shape: number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
    await same(() => tf.matMul(tensor(turned(a), 'a'), tensor(turned(b), 'b'), true, true));
  });

  test.each(['linear', 'relu', 'relu6', 'sigmoid', 'elu', 'leakyrelu'] as const)(
    'fused matMul with %s',
    async (activation) => {
      await same(() => {
        const [a, b] = [tensor<tf.Tensor2D>([9, 6], 'a'), tensor<tf.Tensor2D>([6, 20], 'b')];
        const bias = tensor([20], 'bias');
        return [
          tf.fused.matMul({ a, b, bias, activation, leakyreluAlpha: 0.3 }),
          tf.fused.matMul({ a, b, bias: tensor([9, 20], 'wide'), activation, leakyreluAlpha: 0.3 }),
          tf.fused.matMul({ a, b, activation, leakyreluAlpha: 0.3 }),
        ];
      });
    },
  );

  test('gradients of matMul', async () => {
    await differentiated((a, b) => tf.matMul(a, b), [7, 5], [5, 9]);
    await differentiated((a, b) => tf.matMul(a, b, true, false), [3, 5, 7], [3, 5, 9]);
  });
});

describeNative('convolution', () => {
  const explicit: tf.backend_util.ExplicitPadding = [
    [0, 0],
    [2, 1],
    [0, 2],
    [0, 0],
  ];
  const combinations = (
    [
      [1, 5, 7, 3],
      [3, 8, 6, 1],
      [2, 9, 9, 20],
    ] as Shape4D[]
  ).flatMap((image) =>
    ([1, 2, [3, 1]] as (number | [number, number])[]).flatMap((strides) =>
      (['same', 'valid', explicit] as const).map((pad) => ({
        image,
        strides,
        pad,
        label: JSON.stringify([image, strides, pad]),
      })),
    ),
  );

  test.each(combinations)('conv2d and its gradients $label', async ({ image, strides, pad }) => {
    for (const [height, width, filters] of [
      [3, 3, 17],
      [2, 4, 1],
      [1, 1, 6],
    ]) {
      const op = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad);
      await differentiated(op, image, [height, width, image[3], filters]);
    }
  });

  test('dilated conv2d', async () => {
    await same(() =>
      tf.conv2d(tensor<tf.Tensor4D>([2, 9, 10, 5]), tensor<tf.Tensor4D>([3, 2, 5, 4], 'w'), 1, 'same', 'NHWC', [2, 3]),
    );
  });

  test('NCHW is left to the cpu kernel', async () => {
    await same(() =>
      tf.conv2d(tensor<tf.Tensor4D>([2, 5, 9, 10]), tensor<tf.Tensor4D>([3, 2, 5, 4], 'w'), 1, 'same', 'NCHW'),
    );
  });

  test.each(['linear', 'relu', 'relu6', 'sigmoid', 'prelu'] as const)('fused conv2d with %s', async (activation) => {
    await same(() => {
      const x = tensor<tf.Tensor4D>([2, 6, 7, 3]);
      const filter = tensor<tf.Tensor4D>([3, 3, 3, 9], 'w');
      const preluActivationWeights = activation === 'prelu' ? tensor([9], 'alpha') : undefined;
      const options = { x, filter, strides: 2, pad: 'same', activation, preluActivationWeights } as const;
      return [tf.fused.conv2d({ ...options, bias: tensor([9], 'bias') }), tf.fused.conv2d(options)];
    });
  });
});
