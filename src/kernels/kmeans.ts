import { EatDmlError, invalid } from '../errors.js';
import { randomStream } from '../random.js';
import {
  type AsyncKernelOptions,
  batchOf,
  checkCount,
  checkNonNegative,
  checkOneOf,
  checkOptions,
  KERNEL_OPTIONS,
  type KernelOptions,
  type Matrix,
  readMatrix,
} from './matrix.js';
import { type KMeansArgs, type KMeansIteration, kmeansReference } from './reference/kmeans.js';
import { kmeansPlusPlusReference } from './reference/kmeans-plus-plus.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export interface KMeansOptions extends KernelOptions {
  /** Number of clusters, at most the number of rows; taken from `init` where that is a matrix. */
  k?: number;
  /** Start: centroids [B,k,d], k-means++ (default; greedy, and k-means|| above 1000), or k distinct rows drawn at random. */
  init?: Matrix | 'k-means++' | 'random';
  /** Default 300. */
  maxIterations?: number;
  /**
   * Stop where the summed squared shift of the centroids is at most this share of the mean variance of the columns, as in
   * scikit-learn. Default 0: until no label changes.
   */
  tolerance?: number;
  /** Starts, of which the one with the lowest inertia is returned. Default 1. */
  restarts?: number;
  /** Skip centroids that a lower bound rules out, where that pays. The result is the same; default true. */
  pruning?: boolean;
  /** Default 0. */
  seed?: number;
  /** Called after every iteration; `inertia` is that of its assignment. What it throws ends the call. */
  onIteration?: (progress: KMeansProgress) => void;
}

export interface KMeansProgress extends KMeansIteration {
  restart: number;
}

export interface KMeansResult {
  /** [B,n] */
  labels: Int32Array;
  /** [B,k,d] */
  centroids: Matrix;
  /** [B,k] rows of each cluster. */
  counts: Int32Array;
  /** Summed squared distance of the rows to their centroids, over all batches. */
  inertia: number;
  /** Of the returned start; the largest over batches. An iteration assigns, then updates. */
  iterations: number;
  /** Whether every batch stopped before `maxIterations`. */
  converged: boolean;
}

/**
 * Lloyd's k-means of the rows of `points` [B,n,d], each batch by itself. An empty cluster takes the point farthest from its
 * centroid. The same seed gives the same start on every device.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, ERR_NOT_FINITE naming the first bad row, ERR_ABORTED.
 */
export async function kmeans(points: Matrix, options: KMeansOptions & AsyncKernelOptions): Promise<KMeansResult> {
  const stop = new AbortController();
  const thrown: { error?: unknown } = {};
  const watched = watch(options, (error) => {
    thrown.error = error;
    stop.abort(error);
  });
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const steps = plan(points, watched);
  let step = steps.next();
  while (!step.done) {
    try {
      await runAsync(step.value, { ...options, signal });
    } catch (error) {
      throw 'error' in thrown ? thrown.error : error;
    }
    if ('error' in thrown) throw thrown.error;
    step = steps.next();
  }
  return step.value;
}

/** {@link kmeans}, at once. */
export function kmeansSync(points: Matrix, options: KMeansOptions): KMeansResult {
  const steps = plan(points, options);
  let step = steps.next();
  while (!step.done) {
    runSync(step.value, options);
    step = steps.next();
  }
  return step.value;
}

/** The options with a callback whose exception is handed to `onError`: thrown on the event loop it would end the process. */
function watch(options: KMeansOptions, onError: (error: unknown) => void): KMeansOptions {
  const { onIteration } = options ?? {};
  if (!onIteration) return options;
  const guarded = (progress: KMeansProgress) => {
    try {
      onIteration(progress);
    } catch (error) {
      onError(error);
    }
  };
  return { ...options, onIteration: guarded };
}

// biome-ignore lint/suspicious/noExplicitAny: the calls of one plan have different arguments
type AnyCall = KernelCall<any>;
type Plan = Generator<AnyCall, KMeansResult>;

/** The kernel calls of all batches and starts, in order; returns the best start of each batch. */
function* plan(points: Matrix, options: KMeansOptions): Plan {
  const given = checkKMeans(points, options);
  const { rows, cols } = given.points;
  const results: KMeansArgs[] = [];
  for (let b = 0; b < batchOf(given.points); b++) {
    const slice = { data: given.points.data.subarray(b * rows * cols, (b + 1) * rows * cols), rows, cols };
    let best: KMeansArgs | undefined;
    for (let restart = 0; restart < given.restarts; restart++) {
      const centroids = yield* start(slice, given, b, restart);
      const args = lloydArgs(slice, centroids, given, b, restart);
      yield {
        kernel: 'kmeans',
        args,
        reference: kmeansReference,
        inputs: { points: slice, init: { data: centroids, rows: given.k, cols } },
      };
      if (!best || args.inertia[0] < best.inertia[0]) best = args;
    }
    results.push(best as KMeansArgs);
  }
  return combine(given.points, given.k, results);
}

type Checked = Required<
  Pick<KMeansOptions, 'k' | 'maxIterations' | 'tolerance' | 'restarts' | 'pruning' | 'seed' | 'init'>
> &
  Pick<KMeansOptions, 'onIteration'> & { points: Matrix };

function checkKMeans(given: Matrix, options: KMeansOptions): Checked {
  const known = ['k', 'init', 'maxIterations', 'tolerance', 'restarts', 'pruning', 'seed', 'onIteration'];
  checkOptions(options, [...KERNEL_OPTIONS, ...known]);
  const points = readMatrix('points', given);
  const { maxIterations = 300, tolerance = 0, restarts = 1, pruning = true, seed = 0, onIteration } = options;
  let { k, init = 'k-means++' } = options;
  if (typeof init === 'string') {
    checkOneOf('init', init, ['k-means++', 'random']);
  } else {
    init = readMatrix('init', init);
    k ??= init.rows;
    if (init.rows !== k || init.cols !== points.cols || batchOf(init) !== batchOf(points)) {
      const expected = `${batchOf(points)} x ${k} x ${points.cols}`;
      const received = `${batchOf(init)} x ${init.rows} x ${init.cols}`;
      throw new EatDmlError('ERR_ARGUMENT', `Expected init of shape ${expected} but received ${received}.`);
    }
    if (restarts !== 1) throw invalid('restarts', '1 where init is a matrix', restarts);
  }
  checkCount('k', k);
  if (k > points.rows) throw invalid('k', `at most ${points.rows} (the rows of points)`, k);
  checkCount('maxIterations', maxIterations);
  checkNonNegative('tolerance', tolerance);
  checkCount('restarts', restarts);
  if (!Number.isSafeInteger(seed)) throw invalid('seed', 'an integer', seed);
  if (onIteration !== undefined && typeof onIteration !== 'function')
    throw invalid('onIteration', 'a function', onIteration);
  return { points, k, init, maxIterations, tolerance, restarts, pruning, seed, onIteration };
}

/** Up to this many clusters the start is greedy k-means++; beyond, k-means||, which draws k/32 centroids per round. */
const GREEDY_LIMIT = 1000;

/** The first centroids of one start of one batch. */
function* start(points: Matrix, o: Checked, batch: number, restart: number): Generator<AnyCall, Float32Array> {
  const { k, init } = o;
  const { cols, rows } = points;
  if (typeof init !== 'string') return init.data.slice(batch * k * cols, (batch + 1) * k * cols);
  const random = randomStream(o.seed, 'kmeans', batch, restart);
  let chosen: Int32Array;
  if (init === 'random') {
    chosen = random.permutation(rows).subarray(0, k);
  } else {
    const greedy = k <= GREEDY_LIMIT;
    const trials = greedy ? 2 + Math.floor(Math.log(k)) : 1;
    const block = greedy ? 1 : Math.ceil(k / 32);
    chosen = new Int32Array(k);
    const args = { points, k, trials, block, uniforms: random.uniforms(k * trials), chosen };
    yield {
      kernel: 'kmeansPlusPlus',
      args,
      reference: kmeansPlusPlusReference,
      inputs: { points },
    };
  }
  const centroids = new Float32Array(k * cols);
  chosen.forEach((row, c) => {
    centroids.set(points.data.subarray(row * cols, (row + 1) * cols), c * cols);
  });
  return centroids;
}

function lloydArgs(points: Matrix, centroids: Float32Array, o: Checked, batch: number, restart: number): KMeansArgs {
  const { k, maxIterations, pruning, onIteration } = o;
  return {
    points,
    k,
    maxIterations,
    pruning,
    tolerance: o.tolerance > 0 ? o.tolerance * meanVariance(points) : 0,
    centroids,
    labels: new Int32Array(points.rows),
    counts: new Int32Array(k),
    inertia: new Float64Array(1),
    iterations: new Int32Array(1),
    converged: new Uint8Array(1),
    onIteration: onIteration && ((progress) => onIteration({ ...progress, batch, restart })),
  };
}

/** Mean over the columns of their variance. */
function meanVariance({ data, rows, cols }: Matrix): number {
  const sum = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) sum[i % cols] += data[i];
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (data[i] - sum[i % cols] / rows) ** 2;
  return squares / data.length;
}

function combine(points: Matrix, k: number, results: KMeansArgs[]): KMeansResult {
  const { rows, cols, batch } = points;
  const labels = new Int32Array(results.length * rows);
  const counts = new Int32Array(results.length * k);
  const data = new Float32Array(results.length * k * cols);
  results.forEach((r, b) => {
    labels.set(r.labels, b * rows);
    counts.set(r.counts, b * k);
    data.set(r.centroids, b * k * cols);
  });
  return {
    labels,
    centroids: { data, rows: k, cols, ...(batch !== undefined && { batch }) },
    counts,
    inertia: results.reduce((sum, r) => sum + r.inertia[0], 0),
    iterations: Math.max(...results.map((r) => r.iterations[0])),
    converged: results.every((r) => r.converged[0] === 1),
  };
}
