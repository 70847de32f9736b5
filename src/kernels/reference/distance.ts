import { batchOf, type Matrix, type Metric } from '../matrix.js';

/** Distance of the `d` values of x from `i` on and of y from `j` on; `nx`, `ny` their squared norms. Double precision. */
export type Distance = (
  x: Float32Array,
  i: number,
  y: Float32Array,
  j: number,
  d: number,
  nx: number,
  ny: number,
) => number;

export function distanceOf(metric: Metric): Distance {
  return { sqeuclidean: squaredEuclidean, euclidean, cosine, dot }[metric];
}

/** |x-y|² = sum (x_k - y_k)² */
export const squaredEuclidean: Distance = (x, i, y, j, d) => {
  let sum = 0;
  for (let k = 0; k < d; k++) {
    const t = x[i + k] - y[j + k];
    sum += t * t;
  }
  return sum;
};

const euclidean: Distance = (x, i, y, j, d, nx, ny) => Math.sqrt(squaredEuclidean(x, i, y, j, d, nx, ny));

/** 1 - cos = |x/|x| - y/|y||² / 2, which does not cancel; a zero row is orthogonal to all. */
const cosine: Distance = (x, i, y, j, d, nx, ny) => {
  if (nx === 0 || ny === 0) return 1;
  const sx = 1 / Math.sqrt(nx);
  const sy = 1 / Math.sqrt(ny);
  let sum = 0;
  for (let k = 0; k < d; k++) {
    const t = sx * x[i + k] - sy * y[j + k];
    sum += t * t;
  }
  return sum / 2;
};

const dot: Distance = (x, i, y, j, d) => {
  let sum = 0;
  for (let k = 0; k < d; k++) sum += x[i + k] * y[j + k];
  return sum;
};

/** Squared norm of every row of every batch. */
export function squaredNorms({ data, rows, cols, batch }: Matrix): Float64Array {
  const norms = new Float64Array(batchOf({ data, rows, cols, batch }) * rows);
  for (let r = 0; r < norms.length; r++) {
    for (let k = r * cols; k < (r + 1) * cols; k++) norms[r] += data[k] * data[k];
  }
  return norms;
}
