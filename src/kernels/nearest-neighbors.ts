import { invalid } from '../errors.js';
import { allocate } from './allocate.js';
import {
  type AsyncKernelOptions,
  batchOf,
  checkCount,
  checkFlag,
  checkOneOf,
  checkSameShape,
  KERNEL_OPTIONS,
  type KernelOptions,
  type Matrix,
  METRICS,
  type Metric,
  readMatrices,
  readOptions,
} from './matrix.js';
import { type NearestNeighborsArgs, nearestNeighborsReference } from './reference/nearest-neighbors.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

/** Options of {@link nearestNeighbors}. */
export interface NearestNeighborsOptions extends KernelOptions {
  /** How many neighbours of each query. */
  k: number;
  /** Query i never gets point i: `queries` and `points` are the same set, row for row. Default false. */
  excludeSelf?: boolean;
  /** Default `sqeuclidean`. For `dot` the largest product is the nearest. */
  metric?: Metric;
}

/** The nearest references of each query, nearest first; ties go to the lowest index. */
export interface Neighbors {
  /** [B,q,k] row indices into `points`, nearest first, the lowest index first at a tie. */
  indices: Int32Array;
  /** [B,q,k] their distances. */
  distances: Float32Array;
}

/**
 * The k nearest rows of `points` [B,n,d] of each row of `queries` [B,q,d], exactly.
 * @throws EatDmlError ERR_ARGUMENT for shapes that do not fit or k > n, ERR_NOT_FINITE naming the first bad row.
 *
 * @example
 * ```ts
 * import { nearestNeighbors } from 'eat-dml/kernels';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const points = random(1000, 64);
 * const { indices, distances } = await nearestNeighbors(points, points, { k: 3, excludeSelf: true });
 * console.log(indices.subarray(0, 3), distances.subarray(0, 3)); // of point 0
 * ```
 */
export async function nearestNeighbors(
  queries: Matrix,
  points: Matrix,
  options: NearestNeighborsOptions & AsyncKernelOptions,
): Promise<Neighbors> {
  return runAsync(prepare(queries, points, options));
}

/** {@link nearestNeighbors}, at once. */
export function nearestNeighborsSync(queries: Matrix, points: Matrix, options: NearestNeighborsOptions): Neighbors {
  return runSync(prepare(queries, points, options));
}

function prepare(
  queries: Matrix,
  points: Matrix,
  options: NearestNeighborsOptions,
): KernelCall<NearestNeighborsArgs, Neighbors> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'k', 'excludeSelf', 'metric']);
  ({ queries, points } = readMatrices({ queries, points }));
  const { k, excludeSelf = false, metric = 'sqeuclidean' } = options;
  checkFlag('excludeSelf', excludeSelf);
  checkSameShape('queries', queries, 'points', points, excludeSelf);
  checkOneOf('metric', metric, METRICS);
  checkCount('k', k);
  const available = points.rows - (excludeSelf ? 1 : 0);
  if (k > available) throw invalid('k', `at most ${available} (the neighbours a query can have)`, k);
  const size = batchOf(queries) * queries.rows * k;
  const args = {
    queries,
    points,
    k,
    excludeSelf,
    metric: METRICS.indexOf(metric),
    indices: allocate(Int32Array, size, 'k'),
    distances: allocate(Float32Array, size, 'k'),
  };
  return {
    kernel: 'nearestNeighbors',
    options,
    args,
    reference: nearestNeighborsReference,
    inputs: { queries, points },
    result: () => ({ indices: args.indices, distances: args.distances }),
  };
}
