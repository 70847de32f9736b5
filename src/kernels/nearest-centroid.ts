import {
  type AsyncKernelOptions,
  batchOf,
  checkSameShape,
  KERNEL_OPTIONS,
  type KernelOptions,
  type Matrix,
  readMatrices,
  readOptions,
} from './matrix.js';
import { type NearestCentroidArgs, nearestCentroidReference } from './reference/nearest-centroid.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

/** Of each row its nearest centroid. */
export interface NearestCentroids {
  /** Index of the nearest centroid of each row; the lowest at a tie. */
  labels: Int32Array;
  /** Squared distance to it. */
  distances: Float32Array;
  /** Squared distance to the second nearest; Infinity where there is one centroid. */
  secondDistances: Float32Array;
}

/**
 * The nearest centroid of each row of `points` [B,n,d] among `centroids` [B,k,d]; n x k is never materialised.
 * Labels are those of float64 arithmetic, distances within 1e-5 relative of it.
 * @throws EatDmlError ERR_ARGUMENT for shapes that do not fit, ERR_NOT_FINITE naming the first bad row.
 *
 * @example
 * ```ts
 * import { nearestCentroid } from 'eat-dml/kernels';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const { labels, distances } = await nearestCentroid(random(1000, 64), random(10, 64));
 * console.log(labels[0], distances[0]);
 * ```
 */
export async function nearestCentroid(
  points: Matrix,
  centroids: Matrix,
  options: AsyncKernelOptions = {},
): Promise<NearestCentroids> {
  return runAsync(prepare(points, centroids, options));
}

/** {@link nearestCentroid}, at once. */
export function nearestCentroidSync(points: Matrix, centroids: Matrix, options: KernelOptions = {}): NearestCentroids {
  return runSync(prepare(points, centroids, options));
}

function prepare(
  points: Matrix,
  centroids: Matrix,
  options: KernelOptions,
): KernelCall<NearestCentroidArgs, NearestCentroids> {
  options = readOptions(options, KERNEL_OPTIONS);
  ({ points, centroids } = readMatrices({ points, centroids }));
  checkSameShape('points', points, 'centroids', centroids, false);
  const size = batchOf(points) * points.rows;
  const args = {
    points,
    centroids,
    labels: new Int32Array(size),
    distances: new Float32Array(size),
    secondDistances: new Float32Array(size),
  };
  return {
    kernel: 'nearestCentroid',
    options,
    args,
    reference: nearestCentroidReference,
    inputs: { points, centroids },
    result: () => result(args),
  };
}

function result({ labels, distances, secondDistances }: NearestCentroidArgs): NearestCentroids {
  return { labels, distances, secondDistances };
}
