import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { chooseBackend } from '../../src/tfjs/index.js';
import { describeNative } from './backends.js';
import { on } from './close.js';
import { differentiated, same, tensor, withNaN } from './native.js';

beforeAll(async () => {
  await chooseBackend({ backend: 'native' }).catch(() => undefined);
});

describeNative('element-wise', () => {
  const shapes = [[], [1], [17], [3, 5, 7], [2000, 33], [0, 4]];
  const unary: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    abs: tf.abs,
    clipByValue: (x) => tf.clipByValue(x, -0.25, 0.5),
    exp: tf.exp,
    leakyRelu: (x) => tf.leakyRelu(x, 0.1),
    log: (x) => tf.log(tf.add(tf.abs(x), 0.01)),
    log1p: tf.log1p,
    neg: tf.neg,
    reciprocal: (x) => tf.reciprocal(tf.add(x, 2)),
    relu: tf.relu,
    relu6: (x) => tf.relu6(tf.mul(x, 10)),
    rsqrt: (x) => tf.rsqrt(tf.add(tf.abs(x), 0.01)),
    sigmoid: tf.sigmoid,
    sign: tf.sign,
    sqrt: (x) => tf.sqrt(tf.abs(x)),
    square: tf.square,
    step: (x) => tf.step(x, 0.25),
    tanh: tf.tanh,
  };
  test.each(Object.keys(unary))('%s', async (name) => {
    for (const shape of shapes) await same(() => unary[name](tensor(shape)));
    await same(() => unary[name](withNaN([5, 9])));
    if (name !== 'step' && name !== 'sign') await differentiated(unary[name], [4, 9]);
  });

  test('integers and booleans are left to the cpu kernels', async () => {
    const integers = () => tf.tensor1d([-2, 0, 3, 7], 'int32');
    await same(() => [tf.abs(integers()), tf.relu(integers()), tf.neg(integers()), tf.square(integers())]);
    await same(() => [
      tf.add(integers(), 2),
      tf.div(integers(), 2),
      tf.sum(integers()),
      tf.max(integers()),
      tf.mean(integers()),
    ]);
    await same(() => tf.mul(tf.cast(tf.greater(integers(), 0), 'float32'), tensor([4])));
    await same(() =>
      tf.add(tf.cast(integers(), 'float32'), tf.cast(tf.tensor1d([true, false, true, false], 'bool'), 'float32')),
    );
  });

  const pairs = [
    [[], []],
    [[7], []],
    [[], [7]],
    [[5, 3], [3]],
    [
      [5, 3],
      [5, 1],
    ],
    [
      [1, 3],
      [5, 1],
    ],
    [
      [64, 28, 3],
      [28, 3],
    ],
    [
      [2, 1, 4, 1, 3],
      [2, 5, 1, 6, 3],
    ],
    [
      [2, 3, 1, 4, 1, 5],
      [1, 3, 2, 1, 6, 5],
    ],
    [[3000, 32], [32]],
    [[0, 3], [3]],
  ];
  const binary = {
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    maximum: tf.maximum,
    minimum: tf.minimum,
    squaredDifference: tf.squaredDifference,
  };
  test.each(Object.entries({ ...binary, div: (a: tf.Tensor, b: tf.Tensor) => tf.div(a, tf.add(b, 2)) }))(
    '%s',
    async (name, op) => {
      for (const [a, b] of pairs) await same(() => op(tensor(a, 'a'), tensor(b, 'b')));
      await same(() => [op(withNaN([6, 4]), tensor([4])), op(tensor([4]), withNaN([6, 4]))]);
      // tfjs does not differentiate the others where they broadcast.
      const broadcasting = ['add', 'sub', 'mul', 'div'].includes(name);
      await differentiated(op as (...inputs: tf.Tensor[]) => tf.Tensor, [5, 3], broadcasting ? [1, 3] : [5, 3]);
    },
  );
});

describeNative('reductions', () => {
  const cases: [number[], number[] | undefined][] = [
    [[7], undefined],
    [[3, 5], [0]],
    [[3, 5], [1]],
    [
      [4, 6, 5, 3],
      [1, 2],
    ],
    [
      [4, 6, 5, 3],
      [0, 1, 2],
    ],
    [
      [4, 6, 5, 3],
      [0, 2],
    ],
    [[4, 1, 5, 3], [1]],
    [
      [4, 6, 1, 3],
      [1, 3],
    ],
    [[40000], undefined],
    [[3001, 20], [0]],
    [[2, 3], []],
  ];
  const reductions = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min };
  test.each(Object.entries(reductions))('%s', async (_, reduction) => {
    for (const [shape, axes] of cases) {
      const fromTheEnd = axes?.map((axis) => axis - shape.length);
      await same(() =>
        [axes, fromTheEnd].flatMap((a) => [true, false].map((keep) => reduction(tensor(shape), a, keep))),
      );
    }
    await same(() => [reduction(withNaN([6, 4]), 0), reduction(withNaN([6, 4]), 1)]);
    await differentiated((x) => reduction(x, [1, 2]), [2, 3, 4, 5]);
  });
});

describeNative('batch normalisation, pooling, tiling', () => {
  test('batchNorm and its gradients', async () => {
    const op = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, offset: tf.Tensor, scale: tf.Tensor) =>
      tf.batchNorm(
        x,
        mean as tf.Tensor1D,
        tf.square(variance) as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
        1e-2,
      );
    await differentiated(op as never, [3, 4, 5, 17], [17], [17], [17], [17]);
    await same(() => tf.batchNorm(tensor([6, 5]), tensor([5], 'm') as tf.Tensor1D, tf.abs(tensor([5], 'v'))));
  });

  const windows: [number | [number, number], number, 'same' | 'valid' | number][] = [
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [[3, 2], 1, 'same'],
    [3, 3, 1],
    [1, 1, 'valid'],
  ];
  test.each(windows)('pooling %j, stride %j, %j', async (window, stride, pad) => {
    for (const pool of [tf.maxPool, tf.avgPool]) {
      await differentiated((x) => pool(x as tf.Tensor4D, window, stride, pad), [2, 7, 8, 19]);
      await same(() => pool(withNaN([1, 6, 6, 2]) as tf.Tensor4D, window, stride, pad));
    }
  });

  test.each([
    [
      [1, 1, 3],
      [4, 2, 1],
    ],
    [
      [1, 5],
      [2, 3],
    ],
    [
      [2, 5],
      [2, 3],
    ],
    [
      [4, 5],
      [3, 1],
    ],
    [[3], [1]],
  ])('tile %j by %j', async (shape, reps) => {
    await same(() => tf.tile(tensor(shape), reps));
    await same(() => tf.tile(tf.greater(tensor(shape), 0), reps));
  });

  test('a condition of one value an image chooses between images', async () => {
    const wins = () => tf.tensor1d([1, 0, 1], 'bool');
    await same(() =>
      tf.where(tf.reshape(wins(), [3, 1, 1, 1]), tensor([3, 4, 5, 2]), tf.zerosLike(tensor([3, 4, 5, 2]))),
    );
    await same(() =>
      tf.where(tf.tensor4d([1, 0, 0, 1], [1, 2, 1, 2], 'bool'), tensor([3, 2, 5, 2]), tensor([3, 2, 5, 1])),
    );
    await same(() => tf.zerosLike(withNaN([40, 50])));
  });
});

describeNative('arrays used again', () => {
  test('what a caller read stays as it was', async () => {
    await chooseBackend({ backend: 'native' });
    const size = 5000;
    const first = tf.tidy(() => tf.add(tf.ones([size]), 1).dataSync());
    const slice = tf.tidy(() => tf.slice(tf.add(tf.ones([size]), 2), 0, 3000));
    const reshaped = tf.tidy(() => tf.reshape(tf.add(tf.ones([size]), 3), [50, 100]));
    for (let i = 0; i < 20; i++) tf.tidy(() => [tf.mul(tf.ones([size]), -1), tf.mul(tf.ones([3000]), -1)]);
    expect(new Set(first)).toEqual(new Set([2]));
    expect(new Set(slice.dataSync())).toEqual(new Set([3]));
    expect(new Set(reshaped.dataSync())).toEqual(new Set([4]));
    tf.dispose([slice, reshaped]);
  });

  test.each([5000, 5120])('the buffer of %i values that are read holds no more than they are', async (size) => {
    await chooseBackend({ backend: 'native' });
    const read = () => tf.tidy(() => tf.add(tf.ones([size]), 1).dataSync());
    const first = read();
    for (let i = 0; i < 5; i++) tf.tidy(() => tf.mul(tf.ones([size]), -1));
    for (const values of [first, read()]) {
      expect(values.buffer.byteLength).toBe(4 * size);
      expect(new Set(values)).toEqual(new Set([2]));
    }
  });

  test('a long chain of freed tensors gives what cpu gives', async () => {
    const chain = () => {
      let x: tf.Tensor = tensor([64, 64]);
      for (let i = 0; i < 30; i++)
        x = tf.tanh(tf.add(tf.matMul(x, tf.mul(tensor([64, 64], `w${i % 3}`), 0.1)), tf.mul(x, 0.5)));
      return x;
    };
    const [expected] = await on('native', chain);
    for (let i = 0; i < 3; i++) expect(await on('native', chain)).toEqual([expected]);
    await same(chain);
  });
});
