import { batchOf, type Matrix, METRICS } from '../matrix.js';
import { distanceOf, squaredNorms } from './distance.js';

export interface PairwiseDistanceArgs {
  a: Matrix;
  b: Matrix;
  /** Index into METRICS. */
  metric: number;
  out: Float32Array;
}

/** out[b,i,j] = metric(a[b,i], b[b,j]) */
export function* pairwiseDistanceReference({ a, b, metric, out }: PairwiseDistanceArgs): Generator<void> {
  const distance = distanceOf(METRICS[metric]);
  const { rows: n, cols: d } = a;
  const m = b.rows;
  const [normsA, normsB] = [squaredNorms(a), squaredNorms(b)];
  for (let row = 0; row < batchOf(a) * n; row++) {
    const first = Math.floor(row / n) * m;
    for (let j = 0; j < m; j++) {
      const other = first + j;
      out[row * m + j] = distance(a.data, row * d, b.data, other * d, d, normsA[row], normsB[other]);
    }
    yield;
  }
}
