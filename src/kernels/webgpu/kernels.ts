/** The kernels of device webgpu, by their names: what run-kernel.ts calls. */

import { EatDmlError } from '../../errors.js';
import { attackStep } from './attack-step.js';
import { centroidMeans } from './centroid-means.js';
import { webgpuDevice } from './device.js';
import type { WebgpuKernel } from './host.js';
import { kmeans } from './kmeans.js';
import { kmeansPlusPlus } from './kmeans-plus-plus.js';
import { nearestCentroid } from './nearest-centroid.js';
import { nearestNeighbors } from './nearest-neighbors.js';
import { pairwiseDistance } from './pairwise-distance.js';
import { probeWebgpu } from './probe.js';
import { projectPerturbation } from './project-perturbation.js';
import { Gpu, gpuLimits } from './run.js';

// biome-ignore lint/suspicious/noExplicitAny: each kernel has arguments of its own
const KERNELS: Record<string, WebgpuKernel<any>> = {
  ...{ pairwiseDistance, nearestCentroid, nearestNeighbors },
  ...{ projectPerturbation, attackStep },
  ...{ centroidMeans, kmeans, kmeansPlusPlus },
};

/** Whether the device has this kernel. */
export const hasWebgpuKernel = (kernel: string) => kernel in KERNELS;

/** Whether the device can be opened; what `auto` would have liked to take and cannot is passed over. */
export const webgpuOpens = (): Promise<boolean> =>
  webgpuDevice().then(
    () => true,
    () => false,
  );

/** Runs it: reads and fills the arrays of `args`, which nobody else may change meanwhile. */
export async function runWebgpuKernel(kernel: string, args: object, signal?: AbortSignal): Promise<void> {
  const run = KERNELS[kernel];
  if (!run) throw new EatDmlError('ERR_DEVICE', `Device webgpu has no ${kernel}: use device auto or cpu for it.`);
  const opened = await webgpuDevice();
  const gpu = new Gpu(opened, gpuLimits(opened, probeWebgpu().software ?? false), signal);
  try {
    gpu.check();
    await run(args, gpu);
  } finally {
    gpu.end();
  }
}
