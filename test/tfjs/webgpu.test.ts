import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { EatDmlError } from '../../src/errors.js';
import { proxyAnchor } from '../../src/losses/index.js';
import { convEmbedder, type ModelSpec, resnet18 } from '../../src/models/index.js';
import { backendReport, batchNormTraining, chooseBackend } from '../../src/tfjs/index.js';
import type { WebgpuBackend } from '../../src/tfjs/webgpu/backend.js';
import { cardMayExist } from '../../src/tfjs/webgpu/probe.js';
import { AdamW } from '../../src/training/adamw.js';
import { LONG } from '../long.js';
import { difference, noise } from './close.js';
import { describeWebgpu, onCard } from './describe-webgpu.js';

const gpuOf = () => (tf.backend() as WebgpuBackend).device;
const globalNames = () => Object.keys(globalThis).join();
const bytes = () => (tf.memory() as tf.MemoryInfo & { numBytesInGPU: number }).numBytesInGPU;

/** Training steps of a network of `classes` classes on one batch: the losses, awaited as they come. */
async function lossesOn(backend: 'webgpu' | 'native', { model, shape, steps }: Task): Promise<number[]> {
  await chooseBackend({ backend });
  const [images, proxies] = [
    tf.tensor4d(noise(shape, 'images'), shape),
    tf.variable(tf.tensor2d(noise([2, 8], 'p'), [2, 8])),
  ];
  const labels = tf.tensor1d(
    Int32Array.from({ length: shape[0] }, (_, i) => i % 2),
    'int32',
  );
  const net = model.build([shape[1], shape[2], shape[3]], 1);
  const variables = [...net.variables(), proxies as tf.Variable as never];
  const optimizer = new AdamW([{ variables, learningRate: 1e-3, weightDecay: 1e-4 }]);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = tf.tidy(() => {
      const of = () => proxyAnchor()(net.apply(images, true), labels, proxies as tf.Tensor as tf.Tensor2D);
      const { value, grads } = tf.variableGrads(of, variables);
      optimizer.update(grads);
      return value;
    });
    losses.push((await loss.data())[0]);
    loss.dispose();
  }
  return losses;
}

interface Task {
  model: ModelSpec;
  shape: [number, number, number, number];
  steps: number;
}

describeWebgpu('the backend webgpu', () => {
  test('is set by name, leaves no navigator, and six names that no loop over globals meets', async () => {
    const before = globalNames();
    const had = 'navigator' in globalThis;
    expect(await chooseBackend({ backend: 'webgpu' })).toMatchObject({ name: 'webgpu' });
    expect(globalNames()).toBe(before);
    expect('navigator' in globalThis).toBe(had);
  });

  test('auto takes it on a graphics card alone', async () => {
    const statuses = await backendReport();
    const own = statuses.find(({ name }) => name === 'webgpu')!;
    expect(own).toMatchObject({ available: true });
    expect(own.detail).toMatch(onCard ? /a graphics card/ : /in software: for tests, auto does not take it/);
    expect(own.auto === true).toBe(onCard && cardMayExist());
  });

  test('a tensor that is there cannot be read at once, in one sentence; awaited it can', async () => {
    await chooseBackend({ backend: 'webgpu' });
    const x = tf.tensor2d(noise([40, 50], 'x'), [40, 50]);
    const product = tf.matMul(x, x, false, true);
    expect(() => product.dataSync()).toThrow('A tensor on the backend webgpu cannot be read at once.');
    expect(await product.data()).toHaveLength(1600);
    expect(product.dataSync()).toHaveLength(1600);
    tf.dispose([x, product]);
  });

  test('an error that WebGPU reports apart comes with the next read, once', async () => {
    await chooseBackend({ backend: 'webgpu' });
    gpuOf().createBuffer({ size: 2 ** 45, usage: 0x80 });
    // It comes in a turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const x = tf.tensor2d(noise([40, 50], 'x'), [40, 50]);
    const failed: EatDmlError = await tf
      .add(x, x)
      .data()
      .then(fail, (error) => error);
    expect(failed).toMatchObject({ name: 'EatDmlError', code: 'ERR_BACKEND' });
    expect(failed.message).toMatch(/^The backend webgpu failed: .*buffer size/i);
    expect(await tf.add(x, x).data()).toHaveLength(2000);
  });

  test('a device that is lost is one clear error, and the next choice opens another', async () => {
    await chooseBackend({ backend: 'webgpu' });
    const x = tf.tensor2d(noise([40, 50], 'x'), [40, 50]);
    const sum = tf.add(x, x);
    gpuOf().destroy();
    for (const read of [() => sum.data(), () => tf.mul(x, x).data()]) {
      const failed: EatDmlError = await read().then(fail, (error) => error);
      expect(failed).toMatchObject({ code: 'ERR_BACKEND', hint: expect.stringContaining('--resume') });
      expect(failed.message).toMatch(/^The GPU of the backend webgpu was lost: /);
    }
    await chooseBackend({ backend: 'webgpu' });
    const y = tf.tensor2d(noise([40, 50], 'y'), [40, 50]);
    expect(
      difference(
        await tf.add(y, y).data(),
        noise([40, 50], 'y').map((v) => 2 * v),
      ),
    ).toBe(0);
  });

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

  const conv = { model: convEmbedder({ dimension: 8, width: 4 }), shape: [4, 8, 8, 1], steps: 20 } satisfies Task;
  const residual = {
    model: resnet18({ dimension: 8, preprocessing: 'none' }),
    shape: [4, 32, 32, 3],
    steps: 20,
  } satisfies Task;
  const tasks: [string, Task][] = [
    ['a small net', conv],
    ...(LONG || onCard ? ([['ResNet-18', residual]] as [string, Task][]) : []),
  ];

  test.each(tasks)('20 training steps of %s give the losses of native', { timeout: 1_800_000 }, async (_, task) => {
    const expected = await lossesOn('native', task);
    const received = await lossesOn('webgpu', task);
    expect(expected.at(-1)).not.toBe(expected[0]);
    expect(difference(received, expected)).toBeLessThan(1e-3);
  });

  test('steps leave neither tensors nor buffers behind', { timeout: 1_800_000 }, async () => {
    const steps = LONG || onCard ? 1000 : 60;
    const seen: string[] = [];
    await chooseBackend({ backend: 'webgpu' });
    const net = conv.model.build([8, 8, 1], 1);
    const images = tf.tensor4d(noise(conv.shape, 'images'), conv.shape);
    for (let step = 0; step < steps; step++) {
      const gradient = tf.tidy(() => tf.grad((x) => tf.sum(net.apply(x as tf.Tensor4D, false)))(images));
      await gradient.data();
      gradient.dispose();
      if (step >= 3) seen.push(`${tf.memory().numTensors} tensors, ${bytes()} bytes`);
    }
    expect(new Set(seen).size, [...new Set(seen)].join('; ')).toBe(1);
  });
});

function fail(): never {
  throw new Error('it did not fail');
}
