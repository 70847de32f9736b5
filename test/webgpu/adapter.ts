import { describe } from 'vitest';
import { webgpuDevice } from '../../src/kernels/webgpu/device.js';
import { probeWebgpu } from '../../src/kernels/webgpu/probe.js';
import { Gpu, type GpuLimits, gpuLimits } from '../../src/kernels/webgpu/run.js';

/** A driver in software does: on Linux, VK_ICD_FILENAMES names one (docs/webgpu.md). */
export const { failure, software } = probeWebgpu();

/** A block that needs an adapter: skipped, and shown as skipped with the reason, where there is none. */
export const describeWebgpu = (name: string, body: () => void) =>
  failure === undefined ? describe(name, body) : describe.skip(`${name} (skipped: ${failure})`, body);

/** What a kernel does with a call's share of the device, under lower limits than it has. */
export async function gpuCall<T>(act: (gpu: Gpu) => Promise<T>, lower: Partial<GpuLimits> = {}): Promise<T> {
  const opened = await webgpuDevice();
  const gpu = new Gpu(opened, { ...gpuLimits(opened, true), ...lower });
  try {
    return await act(gpu);
  } finally {
    gpu.end();
  }
}
