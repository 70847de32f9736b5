import type { Matrix } from '../kernels/index.js';

/** The rows of `first` [n, d], then those of `second` [m, d], as one matrix [n + m, d]. */
export function stacked(first: Matrix, second: Matrix): Matrix {
  const { cols } = first;
  const rows = first.rows + second.rows;
  const data = new Float32Array(rows * cols);
  data.set(first.data.subarray(0, first.rows * cols));
  data.set(second.data.subarray(0, second.rows * cols), first.rows * cols);
  return { data, rows, cols };
}
