import {
  centroidMeans,
  kmeans,
  type Matrix,
  type Metric,
  nearestCentroid,
  nearestNeighbors,
  pairwiseDistance,
} from '../../../src/kernels/index.js';
import { matrixOf, normalMatrix } from '../support.js';
import type { ParityCase } from './types.js';

const METRICS: Metric[] = ['sqeuclidean', 'euclidean', 'cosine', 'dot'];
/** n, m, d: one, around the lanes of every instruction set, odd, beyond one k-block, beyond one chunk of rows. */
const SHAPES = [
  [1, 1, 1],
  [2, 3, 2],
  [5, 7, 3],
  [7, 15, 8],
  [6, 16, 7],
  [14, 17, 9],
  [13, 32, 15],
  [33, 31, 16],
  [15, 33, 17],
  [64, 65, 31],
  [29, 48, 64],
  [300, 5, 33],
  [40, 130, 129],
  [9, 11, 513],
  [17, 40, 1100],
  [1000, 70, 40],
] as const;

const near = (m: Matrix, amount: number): Matrix => ({ ...m, data: m.data.map((x, i) => x + amount * ((i % 5) - 2)) });

function pairwise(name: string, a: Matrix, b: Matrix, metric: Metric, floor?: number): ParityCase {
  return {
    kernel: 'pairwiseDistance',
    name: `${metric} ${name}`,
    run: async (device) => ({ distances: (await pairwiseDistance(a, b, { metric, device })).data }),
    tolerance: { distances: 1e-5 },
    floor,
  };
}

const pairwiseCases: ParityCase[] = METRICS.flatMap((metric) => {
  // A product cancels: its error is judged by the size of its terms' sum, sqrt(d) here.
  const dotFloor = (d: number) => (metric === 'dot' ? Math.sqrt(d) : undefined);
  return [
    ...SHAPES.map(([n, m, d]) =>
      pairwise(`${n}x${m} d=${d}`, normalMatrix(n, d), normalMatrix(m, d, { seed: 2 }), metric, dotFloor(d)),
    ),
    pairwise(
      'batch 3',
      normalMatrix(9, 20, { batch: 3 }),
      normalMatrix(17, 20, { batch: 3, seed: 2 }),
      metric,
      dotFloor(20),
    ),
    pairwise('near duplicates', normalMatrix(20, 65), near(normalMatrix(20, 65), 1e-4), metric, dotFloor(65)),
    pairwise(
      'at |x| = 1e3 per entry, squared distance near 1e-4',
      normalMatrix(12, 40, { scale: 1, offset: 1e3 }),
      near(normalMatrix(12, 40, { scale: 1, offset: 1e3 }), 1e-3),
      metric,
      metric === 'dot' ? 1e3 : undefined,
    ),
    pairwise('equal rows', normalMatrix(20, 65), normalMatrix(20, 65), metric, dotFloor(65)),
    pairwise(
      'far from the origin',
      normalMatrix(12, 40, { offset: 1e3 }),
      near(normalMatrix(12, 40, { offset: 1e3 }), 1e-2),
      metric,
      metric === 'dot' ? 1e3 : undefined,
    ),
    pairwise('tiny', normalMatrix(8, 20, { scale: 1e-18 }), normalMatrix(9, 20, { scale: 1e-18, seed: 2 }), metric),
    pairwise('huge', normalMatrix(8, 20, { scale: 1e17 }), normalMatrix(9, 20, { scale: 1e17, seed: 2 }), metric, 1e30),
    pairwise(
      'zero rows',
      matrixOf([
        [0, 0, 0],
        [1, 2, 3],
      ]),
      matrixOf([
        [0, 0, 0],
        [-1, 0, 2],
      ]),
      metric,
    ),
  ];
});

const small = (m: Matrix): Matrix => ({ ...m, data: m.data.map((x) => Math.round(x * 2)) });

function centroidCase(name: string, points: Matrix, centroids: Matrix): ParityCase {
  return {
    kernel: 'nearestCentroid',
    name,
    run: async (device) => ({ ...(await nearestCentroid(points, centroids, { device })) }),
    tolerance: { distances: 1e-5, secondDistances: 1e-5 },
  };
}

const nearestCentroidCases: ParityCase[] = [
  ...SHAPES.map(([n, k, d]) => centroidCase(`${n}x${k} d=${d}`, normalMatrix(n, d), normalMatrix(k, d, { seed: 2 }))),
  centroidCase('batch 3', normalMatrix(30, 20, { batch: 3 }), normalMatrix(19, 20, { batch: 3, seed: 2 })),
  centroidCase('ties on a grid', small(normalMatrix(200, 3)), small(normalMatrix(40, 3, { seed: 2 }))),
  centroidCase('the same centroid everywhere', normalMatrix(50, 8), {
    ...normalMatrix(1, 8),
    rows: 20,
    data: new Float32Array(160).fill(0.5),
  }),
  centroidCase('points are centroids', normalMatrix(40, 33), normalMatrix(40, 33)),
  centroidCase(
    'far from the origin',
    normalMatrix(60, 40, { offset: 1e3 }),
    normalMatrix(20, 40, { offset: 1e3, seed: 2 }),
  ),
  centroidCase(
    'close together: the second in question',
    normalMatrix(1500, 64, { scale: 0.006, offset: 0.3 }),
    normalMatrix(60, 64, { scale: 0.006, offset: 0.3, seed: 2 }),
  ),
  centroidCase('tiny', normalMatrix(20, 20, { scale: 1e-17 }), normalMatrix(9, 20, { scale: 1e-17, seed: 2 })),
  centroidCase('huge', normalMatrix(20, 20, { scale: 1e17 }), normalMatrix(9, 20, { scale: 1e17, seed: 2 })),
];

function neighborCase(
  name: string,
  queries: Matrix,
  points: Matrix,
  k: number,
  metric: Metric,
  excludeSelf = false,
): ParityCase {
  return {
    kernel: 'nearestNeighbors',
    name: `${metric} ${name} k=${k}`,
    run: async (device) => ({ ...(await nearestNeighbors(queries, points, { k, metric, excludeSelf, device })) }),
    tolerance: { distances: 1e-5 },
    floor: metric === 'dot' ? 1e-3 : undefined,
  };
}

const nearestNeighborCases: ParityCase[] = METRICS.flatMap((metric) => [
  ...SHAPES.map(([n, m, d]) =>
    neighborCase(`${n}x${m} d=${d}`, normalMatrix(n, d), normalMatrix(m, d, { seed: 2 }), Math.min(m, 3), metric),
  ),
  neighborCase('all', normalMatrix(20, 9), normalMatrix(50, 9, { seed: 2 }), 50, metric),
  neighborCase('excluding itself', normalMatrix(70, 12), normalMatrix(70, 12), 8, metric, true),
  neighborCase('batch 2', normalMatrix(20, 12, { batch: 2 }), normalMatrix(30, 12, { batch: 2, seed: 2 }), 4, metric),
  neighborCase('ties on a grid', small(normalMatrix(90, 3)), small(normalMatrix(90, 3)), 10, metric, true),
]);

function labelled(n: number, k: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => (i * 7 + (i % 3)) % k);
}

function meansCase(name: string, points: Matrix, labels: Int32Array, k: number, weights?: Float32Array): ParityCase {
  return {
    kernel: 'centroidMeans',
    name,
    run: async (device) => {
      const { sums, counts, means } = await centroidMeans(points, labels, { k, weights, device });
      return { sums, counts, means: means.data };
    },
    tolerance: { sums: 1e-11, counts: 1e-12, means: 1e-6 },
    floor: 1e-6,
  };
}

const centroidMeansCases: ParityCase[] = [
  ...SHAPES.map(([n, k, d]) => meansCase(`${n} rows, k=${k} d=${d}`, normalMatrix(n, d), labelled(n, k), k)),
  meansCase('labels without rows', normalMatrix(20, 5), new Int32Array(20).fill(3), 6),
  meansCase('more than one segment', normalMatrix(5000, 6), labelled(5000, 2), 2),
  meansCase(
    'weights',
    normalMatrix(300, 9),
    labelled(300, 7),
    7,
    Float32Array.from({ length: 300 }, (_, i) => (i % 4) / 3),
  ),
  meansCase('batch 2', normalMatrix(30, 9, { batch: 2 }), labelled(60, 7), 7),
];

function blobs(n: number, d: number, k: number, seed = 3): Matrix {
  const m = normalMatrix(n, d, { seed, scale: 0.4 });
  const centers = normalMatrix(k, d, { seed: seed + 1, scale: 2 });
  return { ...m, data: m.data.map((x, i) => x + centers.data[(Math.floor(i / d) % k) * d + (i % d)]) };
}

function kmeansCase(name: string, points: Matrix, options: Parameters<typeof kmeans>[1]): ParityCase {
  return {
    kernel: 'kmeans',
    name,
    run: async (device) => {
      const { labels, centroids, counts, inertia, iterations, converged } = await kmeans(points, {
        ...options,
        device,
      });
      return { labels, counts, centroids: centroids.data, inertia: [inertia], end: [iterations, Number(converged)] };
    },
    tolerance: { centroids: 1e-5, inertia: 1e-6 },
    floor: 1e-6,
  };
}

const duplicates = matrixOf(Array.from({ length: 12 }, (_, i) => [i % 3, (i % 3) * 2]));

const kmeansCases: ParityCase[] = [
  kmeansCase('k-means++', blobs(400, 12, 6), { k: 6, seed: 1 }),
  kmeansCase('k-means++, restarts', blobs(300, 5, 9), { k: 9, seed: 2, restarts: 4 }),
  kmeansCase('random start', blobs(300, 17, 7), { k: 7, init: 'random', seed: 3 }),
  kmeansCase('given start', blobs(200, 33, 5), { init: normalMatrix(5, 33, { seed: 8 }) }),
  kmeansCase('one cluster', blobs(50, 4, 3), { k: 1 }),
  kmeansCase('every point a cluster', normalMatrix(20, 4), { k: 20 }),
  kmeansCase('empty clusters', blobs(120, 6, 3), {
    init: { ...normalMatrix(8, 6), data: normalMatrix(8, 6).data.map((x, i) => (i < 12 ? x : 50 + x)) },
  }),
  kmeansCase('duplicates, fewer than k', duplicates, {
    k: 5,
    init: { ...duplicates, rows: 5, data: duplicates.data.slice(0, 10) },
  }),
  kmeansCase('stopped early', blobs(500, 8, 12), { k: 12, maxIterations: 2, init: 'random' }),
  kmeansCase('tolerance', blobs(500, 8, 12), { k: 12, tolerance: 0.01, init: 'random' }),
  kmeansCase('many chunks', blobs(3000, 20, 10), { k: 10, seed: 4 }),
  kmeansCase('pruned', blobs(1200, 260, 70), { k: 70, seed: 4, maxIterations: 6 }),
  kmeansCase('pruned, overlapping', normalMatrix(1100, 256), { k: 64, init: 'random', maxIterations: 4 }),
  kmeansCase('k-means||', blobs(1300, 3, 40), { k: 1010, init: 'k-means||', seed: 4, maxIterations: 2 }),
  kmeansCase('more than 1000 clusters', blobs(1100, 3, 40), { k: 1010, seed: 4, maxIterations: 2 }),
  kmeansCase('batch 2', { ...normalMatrix(90, 7, { batch: 2 }) }, { k: 4, seed: 5 }),
];

export const distanceCases: ParityCase[] = [
  ...pairwiseCases,
  ...nearestCentroidCases,
  ...nearestNeighborCases,
  ...centroidMeansCases,
  ...kmeansCases,
];
