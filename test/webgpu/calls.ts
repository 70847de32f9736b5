import type { Matrix } from '../../src/kernels/index.js';
import { METRICS } from '../../src/kernels/matrix.js';
import { attackStep } from '../../src/kernels/webgpu/attack-step.js';
import { centroidMeans } from '../../src/kernels/webgpu/centroid-means.js';
import { kmeans } from '../../src/kernels/webgpu/kmeans.js';
import { nearestCentroid } from '../../src/kernels/webgpu/nearest-centroid.js';
import { nearestNeighbors } from '../../src/kernels/webgpu/nearest-neighbors.js';
import { pairwiseDistance } from '../../src/kernels/webgpu/pairwise-distance.js';
import { projectPerturbation } from '../../src/kernels/webgpu/project-perturbation.js';
import type { GpuLimits } from '../../src/kernels/webgpu/run.js';
import { images } from '../kernels/cases/attacks.js';
import { normalMatrix } from '../kernels/support.js';
import { gpuCall } from './adapter.js';

const floats = (length: number) => new Float32Array(length);
const ints = (length: number) => new Int32Array(length);

/** Fresh arguments of each kernel, and its results under lower limits than the device has. */
export const CALLS = {
  ...Object.fromEntries(
    METRICS.flatMap((metric, m) =>
      [undefined, 3].map((batch) => {
        const [a, b] = [normalMatrix(90, 33, { batch }), normalMatrix(70, 33, { seed: 2, batch })];
        const out = floats(90 * 70 * (batch ?? 1));
        const run = async (lower: Partial<GpuLimits>) => {
          await gpuCall((gpu) => pairwiseDistance({ a, b, metric: m, out }, gpu), lower);
          return [out.slice()];
        };
        return [`pairwiseDistance ${metric}, batch ${batch}`, run] as const;
      }),
    ),
  ),
  nearestCentroid: async (lower: Partial<GpuLimits>) => {
    const [points, centroids] = [normalMatrix(300, 20), normalMatrix(90, 20, { seed: 2 })];
    const [labels, distances, secondDistances] = [ints(300), floats(300), floats(300)];
    await gpuCall((gpu) => nearestCentroid({ points, centroids, labels, distances, secondDistances }, gpu), lower);
    return [labels, distances, secondDistances];
  },
  nearestNeighbors: async (lower: Partial<GpuLimits>) => {
    const points = normalMatrix(150, 20);
    const [indices, distances] = [ints(150 * 9), floats(150 * 9)];
    const args = { queries: points, points, k: 9, excludeSelf: true, metric: 0, indices, distances };
    await gpuCall((gpu) => nearestNeighbors(args, gpu), lower);
    return [indices, distances];
  },
  centroidMeans: async (lower: Partial<GpuLimits>) => {
    const points = normalMatrix(400, 9, { batch: 2 });
    const [sums, counts, means] = [new Float64Array(90), new Float64Array(10), floats(90)];
    const labels = Int32Array.from({ length: 800 }, (_, i) => (i * 7) % 5);
    const weights = Float32Array.from({ length: 800 }, (_, i) => (i % 4) / 3);
    await gpuCall((gpu) => centroidMeans({ points, labels, weights, k: 5, sums, counts, means }, gpu), lower);
    return [sums, counts, means];
  },
  kmeans: async (lower: Partial<GpuLimits>) => {
    const points: Matrix = normalMatrix(1500, 6);
    const args = {
      ...{
        points,
        k: 7,
        starts: 1,
        maxIterations: 12,
        pruning: true,
        tolerance: 0,
        centroids: points.data.slice(0, 42),
      },
      ...{ labels: ints(1500), counts: ints(7), inertia: new Float64Array(1), iterations: ints(1) },
      converged: new Uint8Array(1),
    };
    await gpuCall((gpu) => kmeans(args, gpu), lower);
    return [args.labels, args.counts, args.centroids, args.inertia, args.iterations];
  },
  ...Object.fromEntries(
    [0, 1, 2].flatMap((norm) => [
      [
        `projectPerturbation ${norm}`,
        async (lower: Partial<GpuLimits>) => {
          const [delta, around] = [normalMatrix(20, 100), images(20, 100).data];
          const out = floats(2000);
          await gpuCall((gpu) => projectPerturbation({ delta, norm, epsilon: 0.5, around, out }, gpu), lower);
          return [out];
        },
      ],
      [
        `attackStep ${norm}`,
        async (lower: Partial<GpuLimits>) => {
          const [origin, gradient, out] = [images(20, 100), normalMatrix(20, 100), floats(2000)];
          const step = { norm, epsilon: 0.1, stepSize: 0.3, lo: 0, hi: 1, out };
          await gpuCall((gpu) => attackStep({ origin, current: origin, gradient, ...step }, gpu), lower);
          return [out];
        },
      ],
    ]),
  ),
} as Record<string, (lower: Partial<GpuLimits>) => Promise<ArrayLike<number>[]>>;
