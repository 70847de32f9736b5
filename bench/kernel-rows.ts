import * as kernels from '../src/kernels/index.js';
import { networkRows } from './network-rows.js';
import { pair, type Row, values } from './row.js';
import { selectionRows } from './selection-rows.js';
import { stackRows } from './stack-rows.js';

function matrix(rows: number, cols: number, low?: number): kernels.Matrix {
  return { data: values(rows * cols, low), rows, cols };
}

/** Points, dimensions, centroids or neighbours. */
type Points = [n: number, d: number, k: number];

const distances = [
  ...pair<Points>(
    'pairwiseDistance',
    [
      [64, 16, 64],
      [2000, 128, 2000],
    ],
    ([n, d, m]) => {
      const [a, b] = [matrix(n, d), matrix(m, d, 0)];
      const out = new Float32Array(n * m);
      return {
        shape: `${n} x ${m}, d ${d}`,
        flops: 2 * n * m * d,
        run: (device) => kernels.pairwiseDistance(a, b, { device }),
        sync: (device) => kernels.pairwiseDistanceSync(a, b, { device, out }),
      };
    },
  ),
  ...pair<Points>(
    'nearestCentroid',
    [
      [256, 16, 8],
      [20_000, 128, 100],
    ],
    ([n, d, k]) => {
      const [points, centroids] = [matrix(n, d), matrix(k, d, 0)];
      return {
        shape: `${n}, d ${d}, k ${k}`,
        flops: 2 * n * k * d,
        run: (device) => kernels.nearestCentroid(points, centroids, { device }),
        sync: (device) => kernels.nearestCentroidSync(points, centroids, { device }),
      };
    },
  ),
  ...pair<Points>(
    'nearestNeighbors',
    [
      [128, 16, 5],
      [3000, 128, 10],
    ],
    ([n, d, k]) => {
      const points = matrix(n, d);
      const options = { k, excludeSelf: true };
      return {
        shape: `${n} in ${n}, d ${d}, k ${k}`,
        flops: 2 * n * n * d,
        run: (device) => kernels.nearestNeighbors(points, points, { ...options, device }),
        sync: (device) => kernels.nearestNeighborsSync(points, points, { ...options, device }),
      };
    },
  ),
  ...pair<Points>(
    'centroidMeans',
    [
      [256, 16, 8],
      [100_000, 128, 100],
    ],
    ([n, d, k]) => {
      const points = matrix(n, d);
      const labels = Int32Array.from({ length: n }, (_, i) => (i * 7919) % k);
      return {
        shape: `${n}, d ${d}, k ${k}`,
        run: (device) => kernels.centroidMeans(points, labels, { k, device }),
        sync: (device) => kernels.centroidMeansSync(points, labels, { k, device }),
      };
    },
  ),
  ...pair<Points>(
    'kmeans',
    [
      [256, 16, 8],
      [10_000, 128, 100],
    ],
    ([n, d, k]) => {
      const points = matrix(n, d);
      const options = { k, seed: 1, restarts: 1, maxIterations: 10, tolerance: 0 };
      return {
        shape: `${n}, d ${d}, k ${k}, 10 iterations`,
        run: (device) => kernels.kmeans(points, { ...options, device }),
        sync: (device) => kernels.kmeansSync(points, { ...options, device }),
      };
    },
  ),
];

const attacks = [
  ...pair<[number, number]>(
    'projectPerturbation',
    [
      [16, 64],
      [128, 3072],
    ],
    ([n, d]) => {
      const [delta, around] = [matrix(n, d), matrix(n, d, 0)];
      const options = { norm: 'l2' as const, epsilon: 0.5, around, box: [0, 1] as [number, number] };
      const out = new Float32Array(n * d);
      return {
        shape: `${n} x ${d}, l2 and box`,
        run: (device) => kernels.projectPerturbation(delta, { ...options, device }),
        sync: (device) => kernels.projectPerturbationSync(delta, { ...options, device, out }),
      };
    },
  ),
  ...pair<[number, number]>(
    'attackStep',
    [
      [16, 64],
      [64, 150_528],
    ],
    ([n, d]) => {
      const [origin, gradient] = [matrix(n, d, 0), matrix(n, d)];
      const current = matrix(n, d, 0);
      const box: [number, number] = [0, 1];
      const options = { origin, current, gradient, norm: 'linf' as const, epsilon: 0.1, stepSize: 0.02, box };
      const out = new Float32Array(n * d);
      return {
        shape: `${n} x ${d}, linf and box`,
        bytes: 16 * n * d,
        run: (device) => kernels.attackStep({ ...options, device }),
        sync: (device) => kernels.attackStepSync({ ...options, device, out }),
      };
    },
  ),
];

/** Every kernel of src/kernels/index.ts, twice. */
export const rows: Row[] = [...distances, ...attacks, ...networkRows, ...stackRows, ...selectionRows];
