import { EatDmlError } from '../errors.js';
import { allocate } from './allocate.js';
import { checkInt32Length } from './integers.js';
import {
  type AsyncKernelOptions,
  batchOf,
  checkCount,
  checkFloat32Length,
  KERNEL_OPTIONS,
  type KernelOptions,
  type Matrix,
  readMatrix,
  readOptions,
  unshared,
} from './matrix.js';
import { type CentroidMeansArgs, centroidMeansReference } from './reference/centroid-means.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

/** Options of {@link centroidMeans}. */
export interface CentroidMeansOptions extends KernelOptions {
  /** Number of labels; every label is in [0, k). */
  k: number;
  /** Weight of each row, >= 0; 1 when absent. */
  weights?: Float32Array;
}

/** Sums, weights and means of rows by label. */
export interface LabelMeans {
  /** [B,k,d] weighted sums. */
  sums: Float64Array;
  /** [B,k] total weight of each label. */
  counts: Float64Array;
  /** [B,k,d]; the mean of a label without rows is 0. */
  means: Matrix;
}

/**
 * Sum, weight and mean of the rows of `points` [B,n,d] by label [B,n], accumulated in double.
 * @throws EatDmlError ERR_ARGUMENT for shapes, labels or weights that do not fit, ERR_NOT_FINITE naming the first bad row.
 */
export async function centroidMeans(
  points: Matrix,
  labels: Int32Array,
  options: CentroidMeansOptions & AsyncKernelOptions,
): Promise<LabelMeans> {
  return runAsync(prepare(points, labels, options));
}

/** {@link centroidMeans}, at once. */
export function centroidMeansSync(points: Matrix, labels: Int32Array, options: CentroidMeansOptions): LabelMeans {
  return runSync(prepare(points, labels, options));
}

function prepare(
  points: Matrix,
  givenLabels: Int32Array,
  options: CentroidMeansOptions,
): KernelCall<CentroidMeansArgs, LabelMeans> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'k', 'weights']);
  points = readMatrix('points', points);
  const { k } = options;
  const [labels, weights] = [unshared(givenLabels), unshared(options.weights)];
  checkCount('k', k);
  const rows = batchOf(points) * points.rows;
  checkLabels(labels, rows, k);
  if (weights !== undefined) checkWeights(weights, rows);
  const groups = batchOf(points) * k;
  const args = {
    points,
    labels,
    weights,
    k,
    sums: allocate(Float64Array, groups * points.cols, 'k'),
    counts: allocate(Float64Array, groups, 'k'),
    means: allocate(Float32Array, groups * points.cols, 'k'),
  };
  return {
    kernel: 'centroidMeans',
    options,
    args,
    reference: centroidMeansReference,
    inputs: { points },
    result: () => result(args),
  };
}

function checkLabels(labels: unknown, rows: number, k: number): asserts labels is Int32Array {
  checkInt32Length('labels', labels, rows);
  const bad = labels.findIndex((label) => label < 0 || label >= k);
  if (bad >= 0) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected labels in [0, ${k}) but received ${labels[bad]} in row ${bad}.`);
  }
}

function checkWeights(weights: unknown, rows: number): void {
  checkFloat32Length('weights', weights, rows);
  const bad = weights.findIndex((w) => !(w >= 0 && w < Number.POSITIVE_INFINITY));
  if (bad >= 0) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected finite weights >= 0 but received ${weights[bad]} in row ${bad}.`);
  }
}

function result({ points, k, sums, counts, means }: CentroidMeansArgs): LabelMeans {
  const batch = points.batch === undefined ? {} : { batch: points.batch };
  return { sums, counts, means: { data: means, rows: k, cols: points.cols, ...batch } };
}
