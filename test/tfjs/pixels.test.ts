import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { pixelTensor } from '../../src/tfjs/index.js';
import { availableBackends } from '../models/backends.js';

const bytes = (first: number) => Uint8Array.from({ length: 2 * 16 * 16 * 3 }, (_, i) => (first + i) % 256);

test.each(await availableBackends())('bytes become floats by division, batch after batch, on %s', async (backend) => {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const kept = pixelTensor(bytes(7), [2, 16, 16, 3]);
  for (let batch = 0; batch < 3; batch++) {
    const images = pixelTensor(bytes(batch), [2, 16, 16, 3]);
    expect([images.shape, images.dtype]).toEqual([[2, 16, 16, 3], 'float32']);
    // Summed by a kernel, so that its memory may be used again; then read.
    const total = tf.sum(images);
    const [sum] = total.dataSync();
    total.dispose();
    expect(sum / bytes(batch).reduce((a, b) => a + b / 255, 0)).toBeCloseTo(1, 5);
    if (batch === 1) expect(images.dataSync()).toEqual(Float32Array.from(bytes(batch), (byte) => byte / 255));
    images.dispose();
  }
  // Whoever holds a tensor holds its values.
  expect(kept.dataSync()).toEqual(Float32Array.from(bytes(7), (byte) => byte / 255));
  kept.dispose();
  expect(tf.memory().numTensors).toBe(before);
  expect(() => pixelTensor(bytes(0), [1, 16, 16, 3])).toThrow();
});
