import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { chooseBackend, startKernelProfile, stopKernelProfile } from '../../src/tfjs/index.js';
import { describeNative } from './backends.js';
import { expectSame } from './close.js';
import { differentiated, same, tensor, withNaN } from './native.js';

beforeAll(async () => {
  await chooseBackend({ backend: 'native' }).catch(() => undefined);
});

/** The same values on cpu and native, by the addon. */
async function natively(kernel: string, op: () => tf.Tensor | tf.Tensor[], tolerance = 0): Promise<void> {
  startKernelProfile();
  await expectSame('native', op, tolerance);
  const paths = stopKernelProfile()!.kernels.filter((k) => k.kernel === kernel);
  expect(paths.map(({ path }) => path)).toEqual(['native']);
}

const integers = (values: number[]) => tf.tensor1d(values, 'int32');
/** Few distinct values, so that most are ties. */
const coarse = (shape: number[], name = 'x') => tf.round(tf.mul(tensor(shape, name), 2));
const flags = (shape: number[]) => tf.greater(tensor(shape, 'flags'), 0);

describeNative('comparison and choice', () => {
  const comparisons = {
    Equal: tf.equal,
    Greater: tf.greater,
    GreaterEqual: tf.greaterEqual,
    Less: tf.less,
    LessEqual: tf.lessEqual,
    NotEqual: tf.notEqual,
  };
  const pairs = [
    [[], []],
    [[7], []],
    [[5, 3], [3]],
    [
      [5, 3],
      [5, 1],
    ],
    [
      [64, 28, 3],
      [28, 3],
    ],
    [[3000, 33], [33]],
  ];
  test.each(Object.entries(comparisons))('%s', async (kernel, op) => {
    for (const [a, b] of pairs) await natively(kernel, () => op(coarse(a, 'a'), coarse(b, 'b')));
    await natively(kernel, () => [op(withNaN([6, 4]), withNaN([6, 4])), op(withNaN([6, 4]), tensor([4]))]);
    await same(() => op(coarse([2, 1, 4, 1, 3], 'a'), coarse([2, 5, 1, 6, 3], 'b')));
    await same(() => [op(integers([1, 2, 3]), integers([2, 2, 2])), op(tf.zeros([0, 3]), tf.zeros([3]))]);
  });

  test('logic', async () => {
    for (const shape of [[], [7], [5, 3], [3000, 33]]) {
      const other = () => tf.less(tensor(shape, 'other'), 0.2);
      await natively('LogicalAnd', () => tf.logicalAnd(flags(shape), other()));
      await natively('LogicalOr', () => tf.logicalOr(flags(shape), other()));
      await natively('LogicalNot', () => tf.logicalNot(flags(shape)));
    }
    await same(() => tf.logicalAnd(flags([5, 3]), flags([3])));
  });

  test.each([[[]], [[17]], [[3000, 33]], [[4, 5, 6]]])('where of %j', async (shape) => {
    await natively('Select', () => tf.where(flags(shape), withNaN(shape), tensor(shape, 'e')));
    const small = [5, 3].slice(0, shape.length);
    const choose = (t: tf.Tensor, e: tf.Tensor) => tf.where(flags(small), t, e);
    await differentiated(choose as never, small, small);
  });

  test('where broadcasts', async () => {
    await same(() => [
      tf.where(flags([6, 1]), tensor([6, 5], 't'), tensor([5], 'e')),
      tf.where(flags([]), tensor([6, 5], 't'), tensor([6, 1], 'e')),
    ]);
  });

  test('a vector of conditions chooses rows, which tf.where broadcasts and the cpu kernel mistakes', () => {
    const chosen = tf.tidy(() => {
      const [t, e] = [tf.range(0, 6).reshape([3, 2]), tf.range(10, 16).reshape([3, 2])];
      return tf
        .engine()
        .runKernel('Select', { condition: tf.tensor1d([true, false, true], 'bool'), t, e }) as tf.Tensor;
    });
    expect([...chosen.dataSync()]).toEqual([0, 1, 12, 13, 4, 5]);
    chosen.dispose();
  });

  test('gradients by flags: clipping, the larger of two, relu6', async () => {
    await differentiated((x) => tf.clipByValue(x, -0.3, 0.4), [4, 9]);
    await differentiated((a, b) => tf.add(tf.maximum(a, b), tf.minimum(a, b)), [4, 9], [4, 9]);
    await differentiated((x) => tf.relu6(tf.mul(x, 9)), [4, 9]);
    await differentiated((x) => tf.pow(tf.add(tf.abs(x), 0.5), 1.5), [4, 9]);
  });

  test('casts', async () => {
    const numbers = () => tf.tensor1d([-2.7, 0, 3.9, Number.NaN, -0.4, 2 ** 31, 1e10]);
    await same(() => [tf.cast(numbers(), 'int32'), tf.cast(numbers(), 'bool'), tf.cast(numbers(), 'float32')]);
    await same(() => [tf.cast(integers([-1, 0, 7]), 'bool'), tf.cast(integers([-1, 0, 7]), 'float32')]);
    await same(() => [
      tf.cast(flags([5, 3]), 'int32'),
      tf.cast(flags([5, 3]), 'float32'),
      tf.cast(flags([0]), 'int32'),
    ]);
  });

  test('powers as of JavaScript', async () => {
    const edges = [0, -0, 1, -1, 2, -2.5, Infinity, -Infinity, Number.NaN];
    const grid = (i: number) => tf.tensor1d(edges.flatMap((a) => edges.map((b) => [a, b][i])));
    await natively('Pow', () => tf.pow(grid(0), grid(1)), 1e-6);
  });
});

describeNative('picking', () => {
  test.each([
    [[9], 0, [5], 0],
    [[4, 6], 0, [3], 0],
    [[4, 6], 1, [7], 0],
    [[4, 6, 5], -2, [2, 3], 0],
    [[3, 6, 5], 1, [3, 4], 1],
    [[700, 64], 0, [5000], 0],
  ])('gather from %j along %i by %j, batch axes %i', async (shape, axis, by, batchDims) => {
    const size = shape.at(axis)!;
    const count = by.reduce((product, n) => product * n, 1);
    const indices = () =>
      tf.tensor(
        Array.from({ length: count }, (_, i) => (i * 7 + 2) % size),
        by,
        'int32',
      );
    await natively('GatherV2', () => tf.gather(tensor(shape), indices() as tf.Tensor1D, axis, batchDims));
    if (shape.length < 3 && count < 100)
      await differentiated((x) => tf.gather(x, indices() as tf.Tensor1D, axis), shape);
  });

  test('a gradient through gather runs on segment sums', async () => {
    await natively(
      'UnsortedSegmentSum',
      () => tf.grad((x) => tf.sum(tf.square(tf.gather(x, integers([2, 0, 2, 2])))))(tensor([4, 33])),
      1e-6,
    );
  });

  test('an index that is out of range is refused as on cpu', () => {
    for (const bad of [-1, 4]) {
      expect(() => tf.gather(tensor([4, 2]), integers([0, bad]))).toThrow(`the index value ${bad} is not in [0, 3]`);
    }
  });

  test.each([[[12]], [[12, 5]], [[12, 3, 4]]])('segment sums of %j', async (shape) => {
    const ids = () => integers(Array.from({ length: 12 }, (_, i) => ((i * 5) % 7) - 1));
    await natively('UnsortedSegmentSum', () => tf.unsortedSegmentSum(tensor(shape), ids() as tf.Tensor1D, 4), 1e-6);
    const positive = () => integers([0, 3, 1, 1, 2, 0, 0, 3, 1, 2, 3, 0]) as tf.Tensor1D;
    await differentiated((x) => tf.unsortedSegmentSum(x, positive(), 5), shape);
  });

  test('a NaN stays in its segment', () => {
    const sums = tf.tidy(() =>
      tf.unsortedSegmentSum(tf.tensor1d([1, Number.NaN, 2]), integers([0, 1, 0]) as tf.Tensor1D, 2),
    );
    expect([...sums.dataSync()]).toEqual([3, Number.NaN]);
    sums.dispose();
  });

  test('one-hot', async () => {
    await natively('OneHot', () => [
      tf.oneHot(integers([0, 2, -1, 5, 1]), 4),
      tf.oneHot(integers([0, 2, -1, 5, 1]), 3, 0.5, -2, 'float32'),
      tf.oneHot(tf.tensor2d([[0, 2, 1]], undefined, 'int32'), 3, 1, 0, 'bool'),
    ]);
    await same(() => tf.matMul(tf.cast(tf.oneHot(integers([2, 0]), 3), 'float32'), tensor([3, 5])));
  });
});

describeNative('ranking', () => {
  test.each([
    [[7], 0],
    [[3, 50], 1],
    [[300, 5], 0],
    [[4, 6, 5], 1],
    [[40000], 0],
  ])('places of extremes of %j along %i', async (shape, axis) => {
    for (const [kernel, op] of [['ArgMax', tf.argMax] as const, ['ArgMin', tf.argMin] as const]) {
      await natively(kernel, () => [tensor(shape), coarse(shape), withNaN(shape)].map((x) => op(x, axis)));
      await natively(kernel, () => op(tf.fill(shape, Number.NaN), axis - shape.length));
    }
  });

  test.each([
    [[9], 1],
    [[9], 9],
    [[40, 700], 12],
    [[3, 4, 11], 5],
  ])('top of %j, %i', async (shape, k) => {
    const both = (x: tf.Tensor, sorted = true) => {
      const { values, indices } = tf.topk(x, k, sorted);
      return [values, indices];
    };
    await natively('TopK', () => [...both(tensor(shape)), ...both(coarse(shape))]);
  });

  test('softmax', async () => {
    for (const shape of [[7], [300, 17], [4, 5, 6]]) {
      await natively('Softmax', () => tf.softmax(tf.mul(tensor(shape), 20)), 1e-6);
    }
    await natively('Softmax', () => tf.softmax(withNaN([6, 4])), 1e-6);
    await natively(
      'Softmax',
      () =>
        tf.softmax(
          tf.tensor2d([
            [1, Infinity, 2],
            [-Infinity, 1, 2],
          ]),
        ),
      1e-6,
    );
    await differentiated((x) => tf.softmax(tf.mul(x, 3)), [4, 9]);
    await differentiated((x) => tf.logSoftmax(tf.mul(x, 3)), [4, 9]);
  });

  test('what is not float32 is left to the cpu kernels', async () => {
    await same(() => [
      tf.argMax(integers([3, 7, 7])),
      tf.gather(integers([3, 7, 9]), integers([2, 0])),
      tf.where(tf.tensor1d([true, false], 'bool'), integers([1, 2]), integers([3, 4])),
      tf.topk(integers([3, 9, 7]), 2).values,
    ]);
  });
});
