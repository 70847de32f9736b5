import {
  attackStep,
  centroidMeans,
  type KMeansOptions,
  kmeans,
  type Matrix,
  type Metric,
  type Norm,
  nearestCentroid,
  nearestNeighbors,
  pairwiseDistance,
  projectPerturbation,
} from '../../../src/kernels/index.js';
import { randomStream } from '../../../src/random.js';
import { matrixOf, normalMatrix } from '../support.js';
import type { ParityCase } from './types.js';

/** Where squares leave float32 on one side or the other, or float32's own normal range is left. */
const SCALES = [1e-40, 1e-30, 1e-25, 1e-19, 1e19, 1e25, 1e30];
/** Direct sums, lanes and a tail, the expanded form. */
const DIMENSIONS = [3, 20, 33];

/** `points` in `groups` groups, times `scale`; kind by kind what makes float32 fail. */
const KINDS: Record<string, (rows: number, cols: number, scale: number, seed: number) => Matrix> = {
  groups: (rows, cols, scale, seed) => {
    const center = normalMatrix(4, cols, { seed: 70, scale: 5 * scale }).data;
    const m = normalMatrix(rows, cols, { seed, scale: 0.1 * scale });
    return { ...m, data: m.data.map((x, i) => x + center[(Math.floor(i / cols) % 4) * cols + (i % cols)]) };
  },
  'far from the origin': (rows, cols, scale, seed) => normalMatrix(rows, cols, { seed, scale, offset: 1e6 * scale }),
  'rows of many sizes': (rows, cols, scale, seed) => {
    const m = normalMatrix(rows, cols, { seed, scale });
    return { ...m, data: m.data.map((x, i) => x * 10 ** (-6 * (Math.floor(i / cols) % 6))) };
  },
  'columns of many sizes': (rows, cols, scale, seed) => {
    const m = normalMatrix(rows, cols, { seed, scale });
    return { ...m, data: m.data.map((x, i) => x * 10 ** (-8 * (i % 5))) };
  },
};

interface Setting {
  name: string;
  make: (rows: number, seed: number) => Matrix;
  cols: number;
  scale: number;
}

/** Every scale meets every kind and, in turn, one of the dimensions. */
const SETTINGS: Setting[] = SCALES.flatMap((scale, s) =>
  Object.entries(KINDS).map(([kind, make], k) => {
    const cols = DIMENSIONS[(s + k) % DIMENSIONS.length];
    return {
      name: `${kind} at ${scale}, d=${cols}`,
      make: (rows: number, seed: number) => make(rows, cols, scale, seed),
      cols,
      scale,
    };
  }),
);

/** What float32 does not hold to 1e-5: below its normal range. */
const FLOOR = 1e-38;
const METRICS: Metric[] = ['sqeuclidean', 'euclidean', 'cosine', 'dot'];

function distanceScales({ name, make, cols, scale }: Setting, metric: Metric): ParityCase[] {
  const [a, b] = [make(14, 1), make(19, 2)];
  // A product cancels: its error is judged by the size of its terms' sum.
  const floor =
    metric === 'dot' ? Math.max(FLOOR, Math.min(1e37, cols * (scale * (name.includes('far') ? 1e6 : 1)) ** 2)) : FLOOR;
  return [
    {
      kernel: 'pairwiseDistance',
      name: `${metric} ${name}`,
      run: async (device) => ({ distances: (await pairwiseDistance(a, b, { metric, device })).data }),
      tolerance: { distances: 1e-5 },
      floor,
    },
    {
      kernel: 'nearestNeighbors',
      name: `${metric} ${name}`,
      run: async (device) => ({ ...(await nearestNeighbors(a, b, { k: 5, metric, device })) }),
      tolerance: { distances: 1e-5 },
      floor,
    },
  ];
}

function nearestScale({ name, make }: Setting): ParityCase {
  const [points, centroids] = [make(40, 1), make(7, 2)];
  return {
    kernel: 'nearestCentroid',
    name,
    run: async (device) => ({ ...(await nearestCentroid(points, centroids, { device })) }),
    tolerance: { distances: 1e-5, secondDistances: 1e-5 },
    floor: FLOOR,
  };
}

function meansScale({ name, make, scale }: Setting): ParityCase {
  const points = make(60, 1);
  const labels = Int32Array.from({ length: 60 }, (_, i) => (i * 7) % 5);
  return {
    kernel: 'centroidMeans',
    name,
    run: async (device) => {
      const { sums, counts, means } = await centroidMeans(points, labels, { k: 5, device });
      return { sums, counts, means: means.data };
    },
    tolerance: { sums: 1e-12, means: 1e-6 },
    floor: 1e-3 * scale,
  };
}

function kmeansScale(name: string, points: Matrix, options: KMeansOptions, scale = 1): ParityCase {
  return {
    kernel: 'kmeans',
    name,
    run: async (device) => {
      const seen: number[] = [];
      const onIteration = ({ changed, inertia }: { changed: number; inertia: number }) =>
        seen.push(changed, inertia / scale ** 2);
      const found = await kmeans(points, { ...options, device, onIteration });
      const { labels, centroids, counts, inertia, iterations, converged } = found;
      const end = [iterations, Number(converged)];
      return { labels, counts, end, centroids: centroids.data, inertia: [inertia / scale ** 2], seen };
    },
    tolerance: { centroids: 1e-5, inertia: 1e-6, seen: 1e-6 },
    floor: Math.min(1e-6, 1e-6 * scale),
  };
}

/** As many clusters as rows, nearly, and a start of which one centroid is far from all rows. */
const manyClusters = SETTINGS.flatMap(({ name, make, cols, scale }) => {
  const points = make(30, 3);
  const init = { data: points.data.slice(0, 6 * cols), rows: 6, cols };
  const far = { ...init, data: init.data.map((x, i) => (i < cols ? 100 * x : x)) };
  return [
    kmeansScale(name, points, { k: 4, seed: 2 }, scale),
    kmeansScale(`k near n, ${name}`, points, { k: 28, seed: 1 }, scale),
    kmeansScale(`a centroid far away, ${name}`, points, { init: far }, scale),
  ];
});

/** n, d, k: one chunk of the start's sums and less, more than one, a tail of the last. */
const STARTS = [
  [15, 22, 14],
  [40, 3, 39],
  [300, 17, 20],
  [1025, 5, 12],
  [2500, 9, 7],
].map(([n, d, k]) =>
  kmeansScale(`start, ${n}x${d} k=${k}`, normalMatrix(n, d, { seed: 4 }), { k, seed: 3, maxIterations: 1 }),
);

function stepScale(norm: Norm, scale: number, cols: number): ParityCase[] {
  const random = randomStream(1, 'steps', norm, cols);
  const origin = normalMatrix(3, cols, { scale, seed: 6 });
  const delta = normalMatrix(3, cols, { scale, seed: 8 });
  const gradient = normalMatrix(3, cols, { scale: 1 / scale, seed: 7 });
  // Radii down to what is next to nothing beside the entries.
  return [1, 0.1, 1e-12, 1e-30].flatMap((share) => {
    const epsilon = share * scale;
    const current = { ...origin, data: origin.data.map((x) => x + (random.uniform() - 0.5) * epsilon) };
    const o = { origin, current, gradient, norm, epsilon, stepSize: epsilon / 3 };
    const name = `${norm} radius ${share} at ${scale}, d=${cols}`;
    const step: ParityCase = {
      kernel: 'attackStep',
      name,
      run: async (device) => ({ x: (await attackStep({ ...o, device })).data }),
      tolerance: { x: 1e-6 },
      floor: Math.max(scale, FLOOR),
    };
    const projection: ParityCase = {
      kernel: 'projectPerturbation',
      name,
      run: async (device) => ({ delta: (await projectPerturbation(delta, { norm, epsilon, device })).data }),
      tolerance: { delta: 1e-5 },
      floor: Math.max(1e-3 * epsilon, FLOOR),
    };
    return [step, projection];
  });
}

const steps = (['linf', 'l2', 'l1'] as const).flatMap((norm) =>
  [1e-30, 1e-15, 1, 1e15, 1e30].flatMap((scale, s) => stepScale(norm, scale, [2, 17, 40][s % 3])),
);

/** A step may not lead out of the floats. */
const largest: ParityCase = {
  kernel: 'attackStep',
  name: 'linf at the largest floats',
  run: async (device) => {
    const origin = matrixOf([[3.2e38, -3.2e38, 1e38, -1e38, 0]]);
    const gradient = matrixOf([[1, -1, 1, -1, 1]]);
    const o = { origin, current: origin, gradient, norm: 'linf', epsilon: 3e38, stepSize: 3e38, device } as const;
    return { x: (await attackStep(o)).data };
  },
  tolerance: { x: 1e-6 },
};

/** Sums that leave float32 on the way, and differences that it loses. */
const pairs: ParityCase[] = (['dot', 'sqeuclidean', 'euclidean', 'cosine'] as const).map((metric) => {
  const a = matrixOf([
    [1e20, 1e20, 1e15],
    [1, 1e-25, 0],
  ]);
  const b = matrixOf([
    [1e20, -1e20, 1e20],
    [1, 3e-25, 0],
  ]);
  return {
    kernel: 'pairwiseDistance',
    name: `${metric}, out of float32's range on the way`,
    run: async (device) => ({ distances: (await pairwiseDistance(a, b, { metric, device })).data }),
    tolerance: { distances: 1e-5 },
  };
});

export const scaleCases: ParityCase[] = [
  ...SETTINGS.flatMap((setting) => [
    ...METRICS.flatMap((metric) => distanceScales(setting, metric)),
    nearestScale(setting),
    meansScale(setting),
  ]),
  ...manyClusters,
  ...STARTS,
  ...steps,
  largest,
  ...pairs,
];
