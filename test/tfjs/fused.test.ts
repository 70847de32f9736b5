import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { proxyAnchor } from '../../src/losses/index.js';
import {
  chooseBackend,
  convActivated,
  convRelu,
  convReluStack,
  coverage,
  meanPool,
  startKernelProfile,
  stopKernelProfile,
  sumRelu,
  unitRows,
} from '../../src/tfjs/index.js';
import type { NativeBackend } from '../../src/tfjs/native/backend.js';
import { AdamW } from '../../src/training/adamw.js';
import { describeNative, otherBackends } from './backends.js';
import { difference, expectSame, on } from './close.js';
import { differentiated, tensor } from './native.js';

/** The kernels that `native` runs. */
async function nativeKernels(run: () => void): Promise<string[]> {
  await chooseBackend({ backend: 'native' });
  startKernelProfile();
  tf.tidy(run);
  return stopKernelProfile()!.kernels.map(({ kernel }) => kernel);
}

describeNative('what is fused gives what its parts give', () => {
  test.each([
    [1, 'same'],
    [2, 'same'],
    [[1, 2], 'valid'],
  ] as const)('convRelu, strides %j, %s', async (strides, pad) => {
    const attrs = { strides: strides as number | [number, number], pad };
    const op = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => convRelu(x as never, w as never, b as never, attrs);
    await differentiated(op, [2, 7, 6, 5], [3, 3, 5, 18], [18]);
    await expectSame('native', () => {
      const [x, w, b] = [tensor([2, 7, 6, 5]), tensor([3, 3, 5, 18], 'w'), tensor([18], 'b')];
      const parts = tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, attrs.strides, pad), b));
      return tf.sub(op(x, w, b), parts);
    });
  });

  test.each([
    [1, 'same'],
    [2, 'valid'],
    [2, 1],
  ] as const)('a convolution with its bias, strides %j, padding %s', async (strides, pad) => {
    const attrs = { strides, pad, depthwise: false, activation: 'none' } as const;
    const op = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => convActivated(x as never, w as never, b as never, attrs);
    await differentiated(op, [2, 7, 6, 5], [3, 3, 5, 18], [18]);
    const kernels = await nativeKernels(() => {
      const [x, w, b] = [tensor([2, 7, 6, 5]), tensor([3, 3, 5, 18], 'w'), tensor([18], 'b')];
      tf.grad((at) => tf.sum(tf.square(op(at, w, b))))(x);
    });
    expect(kernels).toContain('ConvBias');
    expect(kernels).not.toContain('Conv2DBackpropFilter');
  });

  test.each([false, true])(
    'relu6 after a convolution, by channel %s, is one kernel, and both derivatives',
    async (depthwise) => {
      const attrs = { strides: 2, pad: 1, depthwise, activation: 'relu6' } as const;
      const filter = depthwise ? [3, 3, 5, 1] : [3, 3, 5, 18];
      const columns = depthwise ? 5 : 18;
      // Some values above 6, some below 0.
      const op = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) =>
        convActivated(tf.mul(x, 4) as never, w as never, tf.add(b, 2) as never, attrs);
      await differentiated(op, [2, 7, 6, 5], filter, [columns]);
      const inputs = () => [tensor([2, 7, 6, 5]), tensor(filter, 'w'), tensor([columns], 'b')] as const;
      const [values] = await on('native', () => op(...inputs()));
      expect([0, 6].every((end) => values.values.includes(end))).toBe(true);
      const kernels = await nativeKernels(() => {
        const [x, w, b] = inputs();
        tf.grad((at) => tf.sum(tf.square(op(at, w, b))))(x);
      });
      expect(kernels).toEqual(expect.arrayContaining([depthwise ? 'DepthwiseRelu' : 'ConvRelu', 'ReluGrad']));
      for (const name of ['Relu6', 'Step', 'LessEqual']) expect(kernels).not.toContain(name);
    },
  );

  test('a sum with relu, and both derivatives', async () => {
    await differentiated((a, b) => sumRelu(a, b), [2, 3, 4, 19], [2, 3, 4, 19]);
    const norm = (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((at) => tf.sum(tf.square(sumRelu(at, tensor([3, 7], 'b')))))(x)));
    await expectSame('native', () => tf.grad(norm)(tensor([3, 7])));
    const kernels = await nativeKernels(
      () => void tf.grad((a) => tf.sum(sumRelu(a, tensor([3, 7], 'b'))))(tensor([3, 7])),
    );
    expect(kernels).toEqual(expect.arrayContaining(['SumRelu', 'ReluGrad']));
    expect(kernels).not.toContain('Step');
    expect(Array.from(sumRelu(tf.tensor1d([Number.NaN, 1, -2]), tf.tensor1d([1, 2, 1])).dataSync())).toEqual([
      Number.NaN,
      3,
      0,
    ]);
  });

  test('convRelu has a second derivative', async () => {
    const w = () => tensor([3, 3, 2, 4], 'w') as tf.Tensor4D;
    const norm = (x: tf.Tensor) =>
      tf.sum(
        tf.square(
          tf.grad((at) => tf.sum(tf.square(convRelu(at as never, w(), tf.zeros([4]), { strides: 1, pad: 'same' }))))(x),
        ),
      );
    await expectSame('native', () => tf.grad(norm)(tensor([1, 4, 4, 2])));
  });

  // Few channels, a whole vector of them, and more; strides that leave pixels without any tap.
  const layers = () =>
    [
      { shape: [3, 3, 2, 16], strides: 1 },
      { shape: [3, 3, 16, 19], strides: 2 },
      { shape: [1, 1, 19, 8], strides: 2 },
    ].map(({ shape, strides }, i) => ({
      filter: tensor(shape, `filter ${i}`) as tf.Tensor4D,
      bias: tensor([shape[3]], `bias ${i}`) as tf.Tensor1D,
      strides,
    }));

  test('convReluStack, and its gradient', async () => {
    await differentiated((x) => convReluStack(x as tf.Tensor4D, layers()), [2, 7, 6, 2]);
    await chooseBackend({ backend: 'native' });
    const names = new Set<string>();
    tf.tidy(() => {
      startKernelProfile();
      tf.grad((x) => convReluStack(x as tf.Tensor4D, layers()))(tensor([2, 7, 6, 2]));
      for (const { kernel } of stopKernelProfile()!.kernels) names.add(kernel);
    });
    expect(names).toContain('ConvReluStackBackpropInput');
  });

  test('convReluStack has a second derivative, and leaks nothing', async () => {
    const norm = (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((at) => tf.sum(tf.square(convReluStack(at as tf.Tensor4D, layers()))))(x)));
    await expectSame('native', () => tf.grad(norm)(tensor([1, 4, 4, 2])));
    await chooseBackend({ backend: 'native' });
    const before = tf.memory().numTensors;
    tf.tidy(() => void tf.grad(norm)(tensor([1, 4, 4, 2])));
    tf.tidy(() => void tf.grad((x) => convReluStack(x as tf.Tensor4D, layers()))(tensor([1, 4, 4, 2])));
    expect(tf.memory().numTensors).toBe(before);
  });

  // To the images and back to them; to others, at another size.
  const block = () => [
    ...layers().slice(0, 1),
    { ...layers()[1], filter: tensor([3, 3, 16, 2], 'end') as tf.Tensor4D },
  ];
  const ended = () =>
    block().map((layer, i) => ({ ...layer, strides: 1, bias: tf.slice1d(layer.bias, 0, i ? 2 : 16) }));

  test('convReluStack with a sum, and its gradients', async () => {
    await differentiated((x) => convReluStack(x as tf.Tensor4D, ended(), x as tf.Tensor4D), [2, 7, 6, 2]);
    const other = (x: tf.Tensor, sum: tf.Tensor) => convReluStack(x as tf.Tensor4D, layers(), sum as tf.Tensor4D);
    await differentiated(other, [2, 7, 6, 2], [2, 2, 2, 8]);
    const norm = (x: tf.Tensor) =>
      tf.sum(
        tf.square(tf.grad((at) => tf.sum(tf.square(convReluStack(at as tf.Tensor4D, ended(), at as tf.Tensor4D))))(x)),
      );
    await expectSame('native', () => tf.grad(norm)(tensor([1, 4, 4, 2])));
    const kernels = await nativeKernels(
      () =>
        void tf.grad((x) => tf.sum(convReluStack(x as tf.Tensor4D, ended(), x as tf.Tensor4D)))(tensor([2, 7, 6, 2])),
    );
    expect(kernels).toContain('ConvReluStackBackpropInput');
    for (const name of ['Add', 'AddN', 'SumRelu', 'ReluGrad']) expect(kernels).not.toContain(name);
  });

  test('unitRows, and both derivatives', async () => {
    // Rows of many lengths, and one of zeros.
    const scales = () => tf.tensor2d([0, 1e-3, 1, 50], [4, 1]);
    await differentiated((x) => unitRows(x as tf.Tensor2D), [5, 9]);
    const norm = (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((at) => tf.sum(tf.mul(unitRows(at as tf.Tensor2D), tensor([4, 9], 'dy'))))(x)));
    await expectSame('native', () => unitRows(tf.mul(tensor([4, 9]), scales()) as tf.Tensor2D));
    await expectSame('native', () =>
      tf.grad((x) => tf.sum(unitRows(x as tf.Tensor2D)))(tf.mul(tensor([4, 9]), scales())),
    );
    await expectSame('native', () => tf.grad(norm)(tensor([4, 9])));
    await chooseBackend({ backend: 'native' });
    startKernelProfile();
    tf.tidy(() => void tf.grad((x) => tf.sum(unitRows(x as tf.Tensor2D)))(tensor([4, 9])));
    const names = stopKernelProfile()!.kernels.map(({ kernel }) => kernel);
    expect(names).toEqual(expect.arrayContaining(['UnitRows', 'UnitRowsGrad']));
    expect(() => unitRows(tf.ones([4]) as never)).toThrow('Expected a tensor [n, d] for x but received "shape [4]".');
    expect(() => convReluStack(tf.ones([1, 2, 2, 1]), [])).toThrow('Expected a list of at least one layer for layers');
  });

  test('meanPool', async () => {
    await differentiated((x) => meanPool(x as tf.Tensor4D), [3, 4, 5, 17]);
  });

  const labels = () => tf.tensor1d([0, 1, 2, 0, 1, 2, 0], 'int32');
  test.each([{}, { alpha: 4, delta: 0.3 }])('proxyAnchor %j', async (options) => {
    const loss = proxyAnchor(options);
    const both = (e: tf.Tensor2D, p: tf.Tensor2D) => {
      const [byE, byP] = tf.grads((a, b) => tf.mul(loss(a as tf.Tensor2D, labels(), b as tf.Tensor2D), 3))([e, p]);
      return [loss(e, labels(), p), byE, byP];
    };
    // More proxies than classes in the batch, a row of zeros, rows of many lengths.
    const rows = () =>
      tf.concat([tf.mul(tensor([6, 9]), tf.range(1, 7).reshape([6, 1])), tf.zeros([1, 9])]) as tf.Tensor2D;
    await expectSame('native', () => both(rows(), tensor([5, 9], 'proxies')), 2e-5);
  });

  test.each(otherBackends)('AdamW on %s over ten steps', async (name) => {
    const steps = () => {
      const shapes = [[3, 3, 2, 40], [1], [7, 5]];
      const variables = shapes.map((shape, i) => tf.variable(tensor(shape, `w${i}`)));
      const optimizer = new AdamW([{ variables, learningRate: 1e-2, weightDecay: 0.1 }]);
      for (let t = 0; t < 10; t++) {
        // The second variable never has a gradient.
        const given = variables.filter((_, i) => i !== 1);
        const gradients = given.map((v, i) => [v.name, tensor(v.shape, `g${t} ${i}`)] as const);
        optimizer.update(Object.fromEntries(gradients));
      }
      const results = [...variables, ...optimizer.moments()].map((v) => tf.clone(v));
      tf.dispose(variables);
      optimizer.dispose();
      return results;
    };
    await expectSame(name, steps, 1e-5);
  });

  test('tiling of any axis', async () => {
    for (const [shape, reps] of [
      [
        [2, 3, 4],
        [1, 2, 3],
      ],
      [
        [2, 1, 1, 3],
        [1, 4, 5, 1],
      ],
      [[5], [7]],
    ]) {
      await expectSame('native', () => tf.tile(tensor(shape), reps), 0);
    }
  });
});

describeNative('what the backend tells of itself', () => {
  test('coverage names every kernel once', async () => {
    await chooseBackend({ backend: 'native' });
    const { native, inherited } = coverage();
    expect((tf.backend() as NativeBackend).coverage()).toEqual({ native, inherited });
    const all = tf.getKernelsForBackend('native').map(({ kernelName }) => kernelName);
    expect([...native, ...inherited].sort()).toEqual(all.sort());
    expect(native).toEqual(expect.arrayContaining(['Conv2D', 'Conv2DBackpropFilter', 'AdamW', 'Cast', 'ConvRelu']));
    expect(inherited).toContain('NonMaxSuppressionV3');
  });

  test('a profile counts calls, operations and the slowest inherited kernel', async () => {
    await chooseBackend({ backend: 'native' });
    expect(stopKernelProfile()).toBeUndefined();
    startKernelProfile();
    tf.tidy(() => [tf.matMul(tf.ones([4, 5]), tf.ones([5, 6])), tf.erf(tf.ones([3])), tf.erf(tf.ones([3]))]);
    const profile = stopKernelProfile()!;
    const of = (name: string) => profile.kernels.find(({ kernel }) => kernel === name);
    expect(of('BatchMatMul')).toMatchObject({ path: 'native', calls: 1, flops: 2 * 4 * 5 * 6 });
    expect(of('Erf')).toMatchObject({ path: 'inherited', calls: 2, flops: 0 });
    const layers = profile.layers.filter(({ kernel }) => kernel === 'BatchMatMul' || kernel === 'Erf');
    expect(layers.map(({ shapes }) => shapes).sort()).toEqual(['3 -> 3', '4x5, 5x6 -> 4x6']);
    expect(layers.find(({ kernel }) => kernel === 'Erf')).toMatchObject({ calls: 2, bytes: 2 * 4 * (3 + 3) });
    expect(profile.slowestInherited!.path).toBe('inherited');
    expect(profile.kernels.reduce((sum, k) => sum + k.milliseconds, 0)).toBeLessThanOrEqual(profile.milliseconds);
  });
});

describeNative('memory', () => {
  test('300 training steps keep no tensor and no memory', async () => {
    const [weights] = await on('native', () => tf.zeros([1]));
    expect(difference(weights.values, [0])).toBe(0);
    const loss = proxyAnchor();
    const filter = tf.variable(tensor([3, 3, 1, 16], 'filter')) as tf.Variable<tf.Rank.R4>;
    const proxies = tf.variable(tensor([3, 16], 'proxies')) as tf.Variable<tf.Rank.R2>;
    const optimizer = new AdamW([
      { variables: [filter, proxies] as tf.Variable[], learningRate: 1e-3, weightDecay: 0 },
    ]);
    const images = tensor([32, 20, 20, 1]) as tf.Tensor4D;
    const classes = tf.tensor1d(
      Int32Array.from({ length: 32 }, (_, i) => i % 3),
      'int32',
    );
    const step = () =>
      tf.tidy(() => {
        const lossOf = () =>
          loss(meanPool(convRelu(images, filter, tf.zeros([16]), { strides: 1, pad: 'same' })), classes, proxies);
        optimizer.update(tf.variableGrads(lossOf, [filter, proxies] as tf.Variable[]).grads);
      });
    for (let i = 0; i < 100; i++) step();
    const before = tf.memory();
    const resident = process.memoryUsage().rss;
    for (let i = 0; i < 300; i++) step();
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    // One feature map is 0.8 MB: a step that kept one would hold 245 MB more.
    expect(process.memoryUsage().rss - resident).toBeLessThan(100e6);
    tf.dispose([filter, proxies, images, classes]);
    optimizer.dispose();
  });
});
