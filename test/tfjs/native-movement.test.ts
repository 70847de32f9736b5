import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { chooseBackend, startKernelProfile, stopKernelProfile } from '../../src/tfjs/index.js';
import { describeNative } from './backends.js';
import { expectSame } from './close.js';
import { differentiated, tensor } from './native.js';

beforeAll(async () => {
  await chooseBackend({ backend: 'native' }).catch(() => undefined);
});

/** The same values on cpu and native, by the addon. */
async function moved(kernel: string, op: () => tf.Tensor | tf.Tensor[]): Promise<void> {
  startKernelProfile();
  await expectSame('native', op, 0);
  const paths = stopKernelProfile()!.kernels.filter((k) => k.kernel === kernel);
  expect(paths.map(({ path }) => path)).toEqual(['native']);
}

describeNative('values that only move', () => {
  test.each([
    [[7], [2], [3]],
    [
      [5, 6],
      [1, 2],
      [3, 4],
    ],
    [
      [5, 6],
      [1, 0],
      [-1, 6],
    ],
    [
      [4, 5, 6, 7],
      [1, 1, 0, 3],
      [2, 3, 6, 2],
    ],
    [
      [300, 211],
      [7, 5],
      [290, 200],
    ],
  ])('slice of %j at %j, %j', async (shape, begin, size) => {
    await moved('Slice', () => tf.slice(tensor(shape), begin, size));
    if (shape.length < 3) await differentiated((x) => tf.slice(x, begin, size), shape);
  });

  test('split', async () => {
    await moved('SplitV', () => tf.split(tensor([4, 9, 3]), [2, 3, 4], 1));
    await moved('SplitV', () => tf.split(tensor([6, 5]), 3));
  });

  test.each([0, 1, 2, -1])('concatenation along axis %i', async (axis) => {
    const shapes = [1, 4, 2].map((size) => [3, 5, 4].map((own, at) => (at === (axis + 3) % 3 ? size : own)));
    await moved('Concat', () =>
      tf.concat(
        shapes.map((shape, i) => tensor(shape, `part ${i}`)),
        axis,
      ),
    );
    await differentiated((...parts) => tf.concat(parts, axis), ...shapes);
  });

  test('padding, also with a value', async () => {
    await moved('PadV2', () =>
      tf.pad(
        tensor([3, 4]),
        [
          [1, 2],
          [0, 3],
        ],
        7,
      ),
    );
    await moved('PadV2', () =>
      tf.pad(tensor([2, 3, 4, 5]), [
        [0, 0],
        [1, 1],
        [2, 2],
        [0, 0],
      ]),
    );
    await differentiated(
      (x) =>
        tf.pad(x, [
          [1, 2],
          [0, 3],
        ]),
      [3, 4],
    );
  });

  test.each([
    [
      [3, 5],
      [1, 0],
    ],
    [
      [2, 3, 4],
      [2, 0, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 3, 1, 2],
    ],
    [
      [130, 257],
      [1, 0],
    ],
  ])('transpose of %j by %j', async (shape, perm) => {
    await moved('Transpose', () => tf.transpose(tensor(shape), perm));
    if (shape.length < 4)
      await differentiated(
        (x) => tf.transpose(x, perm),
        shape.map((size) => Math.min(size, 7)),
      );
  });

  test('reverse', async () => {
    await moved('Reverse', () => tf.reverse(tensor([3, 4, 5]), [0, 2]));
  });

  test('what is not float32, and what is empty, is left to the cpu kernels', async () => {
    await expectSame('native', () => [
      tf.slice(tf.range(0, 9, 1, 'int32'), 2, 4),
      tf.concat([tf.tensor1d([true, false], 'bool'), tf.tensor1d([true], 'bool')]),
      tf.slice(tensor([4, 5]), [1, 1], [0, 3]),
      tf.concat([tf.zeros([0, 3]), tensor([2, 3])]),
      tf.transpose(tf.zeros([0, 3])),
    ]);
  });
});
