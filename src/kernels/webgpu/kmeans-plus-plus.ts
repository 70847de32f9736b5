import { loadAddon } from '../load-addon.js';
import { type KMeansPlusPlusArgs, kmeansPlusPlusReference } from '../reference/kmeans-plus-plus.js';
import type { WebgpuKernel } from './host.js';
import { onHost } from './host.js';

/**
 * The start of k-means stays on the host, on the CPU addon where there is one: its sums are in double and in one order, so that every
 * device draws the same rows, and shaders have no doubles.
 */
export const kmeansPlusPlus: WebgpuKernel<KMeansPlusPlusArgs> = async (args, gpu) => {
  const addon = loadAddon();
  if (!addon) return onHost(kmeansPlusPlusReference(args), gpu);
  const { points, ...rest } = args;
  const { data, rows, cols } = points;
  const kernel = addon.kmeansPlusPlus as (args: object, async: boolean) => { promise: Promise<void> };
  await kernel({ ...rest, points: { data, rows, cols } }, true).promise;
  gpu.check();
};
