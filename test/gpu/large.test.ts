import { describe, expect, test } from 'vitest';
import { devices, kmeansSync, nearestCentroidSync, uploadMatrix } from '../../src/kernels/index.js';
import { loadCudaAddon } from '../../src/kernels/load-addon.js';
import { normalMatrix } from '../kernels/support.js';

/** Sizes as in use, on a GPU, in the variant that EAT_DML_CUDA_VARIANT names: `npm run test:gpu` gives each a process of its own. */
const { available, byNameOnly, detail } = devices()[0];
const gpu = available && !byNameOnly;

if (!gpu) test.skip(`no GPU: ${detail}`, () => {});

describe.skipIf(!gpu)('large', () => {
  test('nearestCentroid: labels of 200,000 points, and their bits when the matrix stays on the device', () => {
    const [points, centroids] = [normalMatrix(200_000, 128), normalMatrix(1000, 128, { seed: 2 })];
    const [cpu, cuda] = [
      nearestCentroidSync(points, centroids, { device: 'cpu' }),
      nearestCentroidSync(points, centroids, { device: 'cuda' }),
    ];
    expect(cuda.labels).toEqual(cpu.labels);
    expect(nearestCentroidSync(uploadMatrix(points, { device: 'cuda' }), centroids, { device: 'cuda' })).toEqual(cuda);
  });

  test('kmeans: the labels of the CPU, twice the same bits, as a graph whose memory is given back', () => {
    const points = normalMatrix(50_000, 64);
    const options = { k: 100, seed: 1, maxIterations: 20 };
    const launched = loadCudaAddon()!.info().graphLaunches!;
    const cuda = kmeansSync(points, { ...options, device: 'cuda' });
    const { graphLaunches, graphBytes } = loadCudaAddon()!.info();
    expect(graphLaunches).toBeGreaterThan(launched);
    expect(graphBytes).toBe(0);
    expect(kmeansSync(points, { ...options, device: 'cuda' })).toEqual(cuda);
    expect(cuda.labels).toEqual(kmeansSync(points, { ...options, device: 'cpu' }).labels);
  });
});
