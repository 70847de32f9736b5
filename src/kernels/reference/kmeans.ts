import type { Matrix } from '../matrix.js';
import { centroidMeansReference } from './centroid-means.js';
import { squaredEuclidean } from './distance.js';
import { nearestCentroidReference } from './nearest-centroid.js';

export interface KMeansIteration {
  /** Matrix of the batch. */
  batch: number;
  /** From 1. */
  iteration: number;
  /** Rows whose label changed. */
  changed: number;
  inertia: number;
}

/** Every start of every matrix is a problem: P = batch * starts of them, the starts of a matrix next to each other. */
export interface KMeansArgs {
  points: Matrix;
  k: number;
  starts: number;
  maxIterations: number;
  /** Of no effect here: it changes the time, not the result. */
  pruning: boolean;
  /** On the summed squared shift. */
  tolerance: number;
  /** [P,k,d]: holds the starts and gets the results. */
  centroids: Float32Array;
  /** [P,n] */
  labels: Int32Array;
  /** [P,k] */
  counts: Int32Array;
  /** [P] */
  inertia: Float64Array;
  iterations: Int32Array;
  converged: Uint8Array;
  onIteration?: (progress: Omit<KMeansIteration, 'batch'> & { problem: number }) => void;
}

/** Lloyd: labels = argmin, centroids = means, until no label changes or the centroids rest. */
export function* kmeansReference(args: KMeansArgs): Generator<void> {
  for (let problem = 0; problem < args.inertia.length; problem++) {
    yield* lloyd(problemOf(args, problem));
  }
}

/** The arguments of one problem, as views of those of all. */
export function problemOf(args: KMeansArgs, problem: number): KMeansArgs {
  const { points, k, starts } = args;
  const { rows, cols } = points;
  const first = Math.floor(problem / starts) * rows * cols;
  return {
    ...args,
    points: { data: points.data.subarray(first, first + rows * cols), rows, cols },
    centroids: args.centroids.subarray(problem * k * cols, (problem + 1) * k * cols),
    labels: args.labels.subarray(problem * rows, (problem + 1) * rows),
    counts: args.counts.subarray(problem * k, (problem + 1) * k),
    inertia: args.inertia.subarray(problem, problem + 1),
    iterations: args.iterations.subarray(problem, problem + 1),
    converged: args.converged.subarray(problem, problem + 1),
    onIteration: args.onIteration && ((progress) => args.onIteration!({ ...progress, problem })),
  };
}

/** One problem. */
function* lloyd(args: KMeansArgs): Generator<void> {
  const { labels, maxIterations, tolerance, onIteration } = args;
  labels.fill(-1);
  let strict = false;
  let settled = false;
  let iteration = 0;
  while (iteration < maxIterations && !strict && !settled) {
    const changed = yield* assign(args);
    const inertia = onIteration ? inertiaOf(args) : 0;
    settled = (yield* update(args)) <= tolerance;
    strict = changed === 0;
    iteration++;
    onIteration?.({ problem: 0, iteration, changed, inertia });
  }
  if (!strict) yield* assign(args);
  args.inertia[0] = inertiaOf(args);
  args.iterations[0] = iteration;
  args.converged[0] = strict || settled ? 1 : 0;
  args.counts.fill(0);
  for (const label of labels) args.counts[label]++;
}

/** Returns how many labels changed. */
function* assign({ points, k, centroids, labels }: KMeansArgs): Generator<void, number> {
  const next = new Int32Array(points.rows);
  const set = { data: centroids, rows: k, cols: points.cols };
  yield* nearestCentroidReference({
    points,
    centroids: set,
    labels: next,
    distances: new Float32Array(points.rows),
    secondDistances: new Float32Array(points.rows),
  });
  const changed = next.reduce((count, label, i) => count + (label === labels[i] ? 0 : 1), 0);
  labels.set(next);
  return changed;
}

/** Moves the centroids; returns their summed squared shift. A cluster that stays empty keeps its centroid. */
export function* update(args: KMeansArgs): Generator<void, number> {
  const { points, k, centroids, labels } = args;
  const d = points.cols;
  const sums = new Float64Array(k * d);
  const counts = new Float64Array(k);
  yield* centroidMeansReference({ points, labels, k, sums, counts, means: new Float32Array(k * d) });
  fillEmpty(args, sums, counts);
  let shift = 0;
  for (let e = 0; e < k * d; e++) {
    const count = counts[Math.floor(e / d)];
    if (count === 0) continue;
    const moved = Math.fround(sums[e] / count);
    shift += (moved - centroids[e]) ** 2;
    centroids[e] = moved;
  }
  return shift;
}

/** Each empty cluster takes the point farthest from its centroid, out of a cluster that keeps another. */
function fillEmpty(args: KMeansArgs, sums: Float64Array, counts: Float64Array): void {
  const { points, labels } = args;
  const d = points.cols;
  const empty = [...counts.keys()].filter((c) => counts[c] === 0);
  if (empty.length === 0) return;
  const distance = ownDistances(args);
  const order = [...distance.keys()].sort((i, j) => distance[j] - distance[i] || i - j);
  let next = 0;
  for (const c of empty) {
    while (next < order.length && counts[labels[order[next]]] <= 1) next++;
    if (next === order.length || distance[order[next]] <= 0) return;
    const row = order[next++];
    for (let e = 0; e < d; e++) {
      sums[labels[row] * d + e] -= points.data[row * d + e];
      sums[c * d + e] = points.data[row * d + e];
    }
    counts[labels[row]]--;
    counts[c] = 1;
  }
}

/** Of the labels and the centroids as they are. */
export const inertiaOf = (args: KMeansArgs) => sumOf(ownDistances(args));

function ownDistances({ points, centroids, labels }: KMeansArgs): Float64Array {
  const d = points.cols;
  return Float64Array.from(labels, (label, i) => squaredEuclidean(points.data, i * d, centroids, label * d, d, 0, 0));
}

const sumOf = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0);
