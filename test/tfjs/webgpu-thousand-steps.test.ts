import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { webgpuDevice } from '../../src/kernels/webgpu/device.js';
import type { GpuBuffer } from '../../src/kernels/webgpu/types.js';
import type { Layer } from '../../src/models/layers.js';
import { networkModel } from '../../src/models/network.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { at, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { describeWebgpu, onCard } from './describe-webgpu.js';

const EPOCHS = 100;
const STEPS = 10;
/** What a step needs is there by then. */
const WARM = 10;

const block = (i: number): Layer => ({
  ...{ type: 'conv', name: `conv${i}`, filters: 2, size: 3, strides: i, padding: 'same' },
  ...{ norm: { name: `norm${i}`, momentum: 0.9, epsilon: 1e-5 }, activation: 'relu' },
});
const model = networkModel('two-blocks', {}, [
  ...[block(1), block(2)],
  ...[{ type: 'mean-pool' } as const, { type: 'dense', name: 'embedding', units: 4 } as const],
]);

/** Counts the buffers that the device makes from now on, until they are destroyed: whoever asked for them. */
async function buffersFromNow(): Promise<{ number: number; bytes: number }> {
  const { device } = await webgpuDevice();
  const live = { number: 0, bytes: 0 };
  const change = (by: number, bytes: number) => {
    live.number += by;
    live.bytes += by * bytes;
  };
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer: GpuBuffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    change(1, descriptor.size);
    buffer.destroy = () => {
      destroy();
      buffer.destroy = destroy;
      change(-1, descriptor.size);
    };
    return buffer;
  };
  return live;
}

describeWebgpu('training on webgpu', () => {
  test('1,000 steps of adversarial training leave neither tensors nor buffers behind', {
    timeout: 900_000,
  }, async () => {
    await chooseBackend({ backend: 'webgpu' });
    // For small results tfjs takes a workgroup each, half a millisecond in software: two thirds of a step's time.
    if (!onCard) tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', 3);
    const live = await buffersFromNow();
    const seen: { tensors: number; bytes: number; buffers: number; allocated: number }[] = [];
    const ensemble = await train({
      data: tinyImages({ classes: 2, perClass: 2 * STEPS, size: 4 }),
      ...{ model, method: at({ attack: { epsilon: 8 / 255, steps: 1 } }) },
      ...{ seed: 5, epochs: EPOCHS, batch: { size: 4 }, backend: 'webgpu' },
      onEpoch: () => {
        const { numTensors, numBytesInGPU } = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number };
        seen.push({ tensors: numTensors, bytes: numBytesInGPU, buffers: live.number, allocated: live.bytes });
      },
    });
    expect(ensemble.history.steps).toBe(EPOCHS * STEPS);
    ensemble.dispose();
    const [first, ...later] = seen.slice(WARM - 1);
    for (const [i, { tensors, bytes, buffers, allocated }] of later.entries()) {
      const when = `after step ${STEPS * (WARM + 1 + i)}`;
      expect({ tensors, bytes }, when).toEqual({ tensors: first.tensors, bytes: first.bytes });
      // tfjs keeps buffers for the next step, and gets another where one comes back late.
      expect(buffers, when).toBeLessThan(first.buffers + 20);
      expect(allocated, when).toBeLessThan(1.05 * first.allocated);
    }
  });
});
