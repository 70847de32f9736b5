import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Addon } from '../../src/kernels/load-addon.js';
import { registerDeviceOps } from '../../src/tfjs/custom-ops.js';
import { nearestCentroidTensor } from '../../src/tfjs/index.js';
import { customOpTests } from '../tfjs/custom-op-tests.js';
import { describeTensorflow } from '../tfjs/describe-tensorflow.js';
import { tensorflowBackend } from '../tfjs/tensorflow.js';
import { describeSimt, simtPath } from './addon.js';

/**
 * The GPU kernels of the custom ops, on TensorFlow's own tensors: under the emulator they take the place of the CPU's, and the
 * CPU's memory that of the device.
 */
describeSimt('TensorFlow', () => {
  describeTensorflow('custom ops of the device addon', () => {
    beforeAll(async () => {
      await tensorflowBackend();
      expect(registerDeviceOps(createRequire(import.meta.url)(simtPath!) as Addon)).toBeUndefined();
    });
    customOpTests('custom op, GPU');

    test('need memory of the device, and say so where there is none', () => {
      vi.stubEnv('EAT_SIMT_MEMORY', '8');
      const [points, centroids] = [tf.ones([3, 5]), tf.zeros([2, 5])] as tf.Tensor2D[];
      expect(() => nearestCentroidTensor(points, centroids)).toThrow(/out of device memory/);
      vi.unstubAllEnvs();
      tf.dispose([points, centroids]);
    });
  });
});

describe('without a CUDA addon', () => {
  test('says so', () => {
    expect(registerDeviceOps({ info: () => ({ isa: '', threads: 1 }) })).toBe(
      'the CUDA addon is older than this package',
    );
  });
});
