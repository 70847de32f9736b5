import { EatDmlError, invalid } from '../errors.js';
import {
  type AsyncKernelOptions,
  batchOf,
  checkCount,
  checkFlag,
  checkNonNegative,
  checkOneOf,
  KERNEL_OPTIONS,
  type KernelOptions,
  type Matrix,
  readMatrices,
  readOptions,
} from './matrix.js';
import type { KMeansIteration } from './reference/kmeans.js';

/** Options of {@link kmeans}. */
export interface KMeansOptions extends KernelOptions {
  /** Number of clusters, at most the number of rows; taken from `init` where that is a matrix. */
  k?: number;
  /**
   * Start: centroids [B,k,d]; `k-means++` (default), greedy as scikit-learn's; `k-means||`, k/32 rows at a time of which all stay: a
   * tenth of the time where clusters are many, and some per cent more inertia in the end; or k distinct rows drawn at `random`.
   */
  init?: Matrix | 'k-means++' | 'k-means||' | 'random';
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

/** Where {@link kmeans} is, told after every iteration. */
export interface KMeansProgress extends KMeansIteration {
  restart: number;
}

/** Some of the `restarts`: from `begin` to before `end`. */
export interface Starts {
  begin: number;
  end: number;
}

/** The options with their defaults, and the matrix to read. */
export type Checked = Required<
  Pick<KMeansOptions, 'k' | 'maxIterations' | 'tolerance' | 'restarts' | 'pruning' | 'seed' | 'init'>
> &
  Pick<KMeansOptions, 'onIteration'> & { points: Matrix; options: AsyncKernelOptions };

/** Throws one sentence for the first option that does not fit. */
export function checkKMeans(given: Matrix, options: KMeansOptions): Checked {
  const known = ['k', 'init', 'maxIterations', 'tolerance', 'restarts', 'pruning', 'seed', 'onIteration'];
  options = readOptions(options, [...KERNEL_OPTIONS, ...known]);
  const { maxIterations = 300, tolerance = 0, restarts = 1, pruning = true, seed = 0, onIteration } = options;
  let { k, init = 'k-means++' } = options;
  const { points, init: start } = readMatrices({ points: given, ...(typeof init !== 'string' && { init }) });
  if (typeof init === 'string') {
    checkOneOf('init', init, ['k-means++', 'k-means||', 'random']);
  } else {
    init = start as Matrix;
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
  checkFlag('pruning', pruning);
  if (!Number.isSafeInteger(seed)) throw invalid('seed', 'an integer', seed);
  if (onIteration !== undefined && typeof onIteration !== 'function')
    throw invalid('onIteration', 'a function', onIteration);
  const { device, checkFinite, signal } = options as AsyncKernelOptions;
  return {
    options: { device, checkFinite, signal },
    points,
    k,
    init,
    maxIterations,
    tolerance,
    restarts,
    pruning,
    seed,
    onIteration,
  };
}
