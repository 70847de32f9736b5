import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { EatDmlError } from '../../src/errors.js';
import { proxyAnchor } from '../../src/losses/index.js';
import { convEmbedder, type ModelSpec, resnet18 } from '../../src/models/index.js';
import { backendReport, chooseBackend } from '../../src/tfjs/index.js';
import type { WebgpuBackend } from '../../src/tfjs/webgpu/backend.js';
import { cardMayExist } from '../../src/tfjs/webgpu/probe.js';
import { AdamW } from '../../src/training/adamw.js';
import { LONG_ON_WEBGPU } from '../long-on-webgpu.js';
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

  test('variables follow to another backend, and back', async () => {
    await chooseBackend({ backend: 'webgpu' });
    const x = tf.tensor2d(noise([40, 50], 'x'), [40, 50]);
    const variable = tf.variable(tf.add(x, x));
    await chooseBackend({ backend: 'cpu' });
    expect(tf.mul(variable, 2).dataSync()[7]).toBe(4 * noise([40, 50], 'x')[7]);
    await chooseBackend({ backend: 'webgpu' });
    expect((await tf.mul(variable, 2).data())[7]).toBe(4 * noise([40, 50], 'x')[7]);
    tf.dispose([x, variable]);
  });

  const conv = { model: convEmbedder({ dimension: 8, width: 4 }), shape: [4, 8, 8, 1], steps: 20 } satisfies Task;
  const residual = {
    model: resnet18({ dimension: 8, preprocessing: 'none' }),
    shape: [4, 32, 32, 3],
    steps: 20,
  } satisfies Task;
  const tasks: [string, Task][] = [
    ['a small net', conv],
    ...(LONG_ON_WEBGPU || onCard ? ([['ResNet-18', residual]] as [string, Task][]) : []),
  ];

  test.each(tasks)('20 training steps of %s give the losses of native', { timeout: 1_800_000 }, async (_, task) => {
    const expected = await lossesOn('native', task);
    const received = await lossesOn('webgpu', task);
    expect(expected.at(-1)).not.toBe(expected[0]);
    expect(difference(received, expected)).toBeLessThan(1e-3);
  });

  // Of 1,000 steps of training: webgpu-thousand-steps.test.ts.
  test('gradients of images leave neither tensors nor buffers behind', { timeout: 1_800_000 }, async () => {
    const seen: string[] = [];
    await chooseBackend({ backend: 'webgpu' });
    const net = conv.model.build([8, 8, 1], 1);
    const images = tf.tensor4d(noise(conv.shape, 'images'), conv.shape);
    for (let step = 0; step < 60; step++) {
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
