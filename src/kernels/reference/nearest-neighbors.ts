import { batchOf, type Matrix, METRICS } from '../matrix.js';
import { distanceOf, squaredNorms } from './distance.js';

export interface NearestNeighborsArgs {
  queries: Matrix;
  points: Matrix;
  k: number;
  excludeSelf: boolean;
  /** Index into METRICS. */
  metric: number;
  indices: Int32Array;
  distances: Float32Array;
}

/** Sorts all points of each query by (distance, index): euclidean by its square, dot by the largest product. */
export function* nearestNeighborsReference(args: NearestNeighborsArgs): Generator<void> {
  const { queries, points, k, excludeSelf, indices, distances } = args;
  const metric = METRICS[args.metric];
  const distance = distanceOf(metric === 'euclidean' ? 'sqeuclidean' : metric);
  const sign = metric === 'dot' ? -1 : 1;
  const { rows: q, cols: d } = queries;
  const n = points.rows;
  const [queryNorms, pointNorms] = [squaredNorms(queries), squaredNorms(points)];
  const keys = new Float64Array(n);
  for (let row = 0; row < batchOf(queries) * q; row++) {
    const first = Math.floor(row / q) * n;
    for (let j = 0; j < n; j++) {
      const other = first + j;
      keys[j] = sign * distance(queries.data, row * d, points.data, other * d, d, queryNorms[row], pointNorms[other]);
    }
    const order = Array.from(keys.keys()).filter((j) => !(excludeSelf && j === row % q));
    order.sort((i, j) => keys[i] - keys[j] || i - j);
    for (let c = 0; c < k; c++) {
      indices[row * k + c] = order[c];
      distances[row * k + c] = metric === 'euclidean' ? Math.sqrt(keys[order[c]]) : sign * keys[order[c]];
    }
    yield;
  }
}
