import { allocate } from './allocate.js';
import {
  type AsyncKernelOptions,
  batchOf,
  checkFloat32Length,
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
import { type PairwiseDistanceArgs, pairwiseDistanceReference } from './reference/pairwise-distance.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions extends KernelOptions {
  /** Default `sqeuclidean`. `cosine` is 1 - cos, `dot` the plain product. */
  metric?: Metric;
  /**
   * Where the result goes, of length batch * a.rows * b.rows; apart from the inputs. The Promise form takes its buffer over: go on
   * with the result's `data` (docs/memory.md).
   */
  out?: Float32Array;
}

/**
 * Distances between the rows of `a` [B,n,d] and of `b` [B,m,d]: a matrix [B,n,m].
 * Squared euclidean, euclidean and cosine are >= 0 and within 1e-5 relative of float64, also where |x|²+|y|²-2xy cancels.
 * @throws EatDmlError ERR_ARGUMENT for shapes that do not fit, ERR_NOT_FINITE naming the first bad row.
 *
 * @example
 * ```ts
 * import { pairwiseDistance } from 'eat-dml/kernels';
 *
 * const points = { data: Float32Array.of(0, 0, 3, 4), rows: 2, cols: 2 };
 * const { data } = await pairwiseDistance(points, points, { metric: 'euclidean' });
 * console.log(data); // 0 5 5 0
 * ```
 */
export async function pairwiseDistance(
  a: Matrix,
  b: Matrix,
  options: PairwiseDistanceOptions & AsyncKernelOptions = {},
): Promise<Matrix> {
  return runAsync(prepare(a, b, options));
}

/** {@link pairwiseDistance}, at once. */
export function pairwiseDistanceSync(a: Matrix, b: Matrix, options: PairwiseDistanceOptions = {}): Matrix {
  return runSync(prepare(a, b, options));
}

function prepare(a: Matrix, b: Matrix, options: PairwiseDistanceOptions): KernelCall<PairwiseDistanceArgs, Matrix> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'metric', 'out']);
  ({ a, b } = readMatrices({ a, b }));
  checkSameShape('a', a, 'b', b, false);
  const { metric = 'sqeuclidean' } = options;
  checkOneOf('metric', metric, METRICS);
  const size = batchOf(a) * a.rows * b.rows;
  if (options.out !== undefined) checkFloat32Length('out', options.out, size);
  const args = { a, b, metric: METRICS.indexOf(metric), out: options.out ?? allocate(Float32Array, size, 'a') };
  return {
    kernel: 'pairwiseDistance',
    options,
    args,
    reference: pairwiseDistanceReference,
    inputs: { a, b },
    result: () => result(args),
  };
}

function result({ a, b, out }: PairwiseDistanceArgs): Matrix {
  return { data: out, rows: a.rows, cols: b.rows, ...(a.batch !== undefined && { batch: a.batch }) };
}
