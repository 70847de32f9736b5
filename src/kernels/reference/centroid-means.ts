import { batchOf, type Matrix } from '../matrix.js';

export interface CentroidMeansArgs {
  points: Matrix;
  labels: Int32Array;
  weights?: Float32Array;
  k: number;
  sums: Float64Array;
  counts: Float64Array;
  means: Float32Array;
}

/** sums[l] = sum of w_i x_i over rows with label l; counts[l] = sum of w_i; means = sums / counts */
export function* centroidMeansReference(args: CentroidMeansArgs): Generator<void> {
  const { points, labels, weights, k, sums, counts, means } = args;
  const { rows: n, cols: d } = points;
  sums.fill(0);
  counts.fill(0);
  for (let row = 0; row < batchOf(points) * n; row++) {
    const group = Math.floor(row / n) * k + labels[row];
    const weight = weights ? weights[row] : 1;
    counts[group] += weight;
    for (let c = 0; c < d; c++) sums[group * d + c] += weight * points.data[row * d + c];
    yield;
  }
  for (let e = 0; e < means.length; e++) {
    const count = counts[Math.floor(e / d)];
    means[e] = count > 0 ? sums[e] / count : 0;
  }
}
