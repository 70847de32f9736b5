import type { Matrix } from '../matrix.js';
import { squaredEuclidean } from './distance.js';

export interface KMeansPlusPlusArgs {
  /** One matrix (no batch). */
  points: Matrix;
  k: number;
  /** Candidates drawn per centroid where `block` is 1. */
  trials: number;
  /** 1: greedy k-means++. More: k-means||, that many centroids per round. */
  block: number;
  /** k * trials numbers in [0,1): [0] draws the first centroid, [c * trials + t] candidate t of centroid c. */
  uniforms: Float64Array;
  /** [k] row indices. */
  chosen: Int32Array;
}

/**
 * D² sampling: greedy k-means++ (Arthur & Vassilvitskii 2007; as scikit-learn, of several candidates the one that lowers the
 * potential most), or blocks of draws between updates as in k-means|| (Bahmani et al. 2012).
 */
export function* kmeansPlusPlusReference(args: KMeansPlusPlusArgs): Generator<void> {
  const { points, k, trials, block, uniforms, chosen } = args;
  const { data, rows, cols } = points;
  const closest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const withRow = (row: number) =>
    closest.map((now, i) => Math.min(now, squaredEuclidean(data, i * cols, data, row * cols, cols, 0, 0)));
  chosen[0] = Math.min(rows - 1, Math.floor(uniforms[0] * rows));
  closest.set(withRow(chosen[0]));
  for (let c = 1; c < k; ) {
    const total = sum(closest);
    const draws = block > 1 ? Math.min(block, k - c) : trials;
    const drawn = Array.from({ length: draws }, (_, t) =>
      draw(closest, uniforms[block > 1 ? c + t : c * trials + t] * total),
    );
    const taken = block > 1 ? drawn : [best(drawn, (row) => sum(withRow(row)))];
    for (const row of taken) {
      chosen[c++] = row;
      closest.set(withRow(row));
      yield;
    }
  }
}

/** The first row of the smallest potential. */
function best(rows: number[], potential: (row: number) => number): number {
  const potentials = rows.map(potential);
  return rows[potentials.indexOf(Math.min(...potentials))];
}

/** The row in which the running sum first passes `target`. */
function draw(closest: Float64Array, target: number): number {
  let row = 0;
  while (row + 1 < closest.length && target >= closest[row]) target -= closest[row++];
  return row;
}

function sum(values: Float64Array): number {
  return values.reduce((total, x) => total + x, 0);
}
