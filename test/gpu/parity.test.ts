import { createRequire } from 'node:module';
import { afterAll, describe, expect, test } from 'vitest';
import { devices, kmeansSync, nearestCentroidSync, uploadMatrix } from '../../src/kernels/index.js';
import { cudaAttempts } from '../../src/kernels/load-addon.js';
import { allCases } from '../kernels/cases/index.js';
import type { ParityCase } from '../kernels/cases/types.js';
import { normalMatrix, worstRelative } from '../kernels/support.js';

/** What test/simt runs under the emulator, here on hardware; EAT_DML_CUDA_PATH names the emulator only there. */
const { available, byNameOnly, detail } = devices()[0];
const gpu = available && !byNameOnly;
const path = cudaAttempts().find(({ failure }) => failure === undefined)?.path;
const kernels = gpu && path ? Object.keys(createRequire(import.meta.url)(path)) : [];
const cases = allCases.filter(({ kernel }) => kernels.includes(kernel));
const WITH_VARIANTS = ['pairwiseDistance', 'nearestCentroid', 'nearestNeighbors'];

async function agrees(row: ParityCase): Promise<void> {
  const [expected, received] = [await row.run('js'), await row.run('cuda')];
  for (const [result, values] of Object.entries(expected)) {
    const worst = worstRelative(received[result], values, row.floor);
    expect(worst, `${result} is off by ${worst} relative`).toBeLessThanOrEqual(row.tolerance[result] ?? 0);
  }
}

if (!gpu) test.skip(`no GPU: ${detail}`, () => {});

const variants = [undefined, '1', '2', '3', '4', ...(/sm_90/.test(detail) ? ['5'] : [])];
for (const variant of gpu ? variants : []) {
  describe(`${detail}, variant ${variant ?? 'chosen by shape'}`, () => {
    afterAll(() => {
      delete process.env.EAT_DML_CUDA_VARIANT;
    });
    const chosen = cases.filter(({ kernel }) => variant === undefined || WITH_VARIANTS.includes(kernel));
    test.each(chosen.map((row) => [`${row.kernel}: ${row.name}`, row] as const))('%s', async (_, row) => {
      if (variant) process.env.EAT_DML_CUDA_VARIANT = variant;
      await agrees(row);
    });
  });
}

describe.skipIf(!gpu)('large', () => {
  test('labels of 200,000 points, and their bits when the matrix stays on the device', () => {
    const [points, centroids] = [normalMatrix(200_000, 128), normalMatrix(1000, 128, { seed: 2 })];
    const [cpu, cuda] = [
      nearestCentroidSync(points, centroids, { device: 'cpu' }),
      nearestCentroidSync(points, centroids, { device: 'cuda' }),
    ];
    expect(cuda.labels).toEqual(cpu.labels);
    expect(nearestCentroidSync(uploadMatrix(points, { device: 'cuda' }), centroids, { device: 'cuda' })).toEqual(cuda);
  });

  test('k-means takes as many iterations as on the CPU, twice with the same bits', () => {
    const points = normalMatrix(50_000, 64);
    const options = { k: 100, seed: 1, maxIterations: 20 };
    const cuda = kmeansSync(points, { ...options, device: 'cuda' });
    expect(kmeansSync(points, { ...options, device: 'cuda' })).toEqual(cuda);
    expect(cuda.labels).toEqual(kmeansSync(points, { ...options, device: 'cpu' }).labels);
  });
});
