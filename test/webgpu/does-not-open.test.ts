import { expect, test, vi } from 'vitest';
import { EatDmlError } from '../../src/errors.js';

const opened = vi.fn(async () => {
  throw new EatDmlError('ERR_DEVICE', 'Device webgpu does not open: the driver is gone');
});
// A card that the child process could open and this one cannot.
vi.mock('../../src/kernels/webgpu/probe.js', () => ({
  probeWebgpu: () => ({ found: true, adapter: {}, software: false }),
}));
vi.mock('../../src/kernels/webgpu/device.js', () => ({ webgpuDevice: opened }));
vi.mock('../../src/kernels/device-choice.js', async (original) => ({
  ...(await original<object>()),
  belongsOnGpu: () => true,
}));

test('auto passes over a card that does not open; by name it is an error', async () => {
  const { nearestCentroid } = await import('../../src/kernels/index.js');
  const points = { data: Float32Array.of(0, 0, 5, 5), rows: 2, cols: 2 };
  const call = nearestCentroid(points, { ...points, data: Float32Array.of(5, 4, 0, 1) });
  // The call has its inputs from the moment it returns.
  points.data.fill(5);
  expect(Array.from((await call).labels)).toEqual([1, 0]);
  expect(opened).toHaveBeenCalled();
  await expect(nearestCentroid(points, points, { device: 'webgpu' })).rejects.toThrow(/^Device webgpu does not open/);
});
