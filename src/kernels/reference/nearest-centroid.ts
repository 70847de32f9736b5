import { batchOf, type Matrix } from '../matrix.js';
import { squaredEuclidean } from './distance.js';

export interface NearestCentroidArgs {
  points: Matrix;
  centroids: Matrix;
  labels: Int32Array;
  distances: Float32Array;
  secondDistances: Float32Array;
}

/** label = argmin_j |x - c_j|², the lowest j at a tie */
export function* nearestCentroidReference(args: NearestCentroidArgs): Generator<void> {
  const { points, centroids, labels, distances, secondDistances } = args;
  const { rows: n, cols: d } = points;
  for (let row = 0; row < batchOf(points) * n; row++) {
    const first = Math.floor(row / n) * centroids.rows;
    let best = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    let label = 0;
    for (let j = 0; j < centroids.rows; j++) {
      const distance = squaredEuclidean(points.data, row * d, centroids.data, (first + j) * d, d, 0, 0);
      if (distance < best) {
        second = best;
        best = distance;
        label = j;
      } else if (distance < second) {
        second = distance;
      }
    }
    labels[row] = label;
    distances[row] = best;
    secondDistances[row] = second;
    yield;
  }
}
