import type { Matrix } from '../matrix.js';
import { squaredEuclidean } from './distance.js';

export interface KMeansPlusPlusArgs {
  /** One matrix (no batch). */
  points: Matrix;
  k: number;
  /** Candidates drawn per centroid. */
  trials: number;
  /** k * trials numbers in [0,1): [0] draws the first centroid, [c * trials + t] candidate t of centroid c. */
  uniforms: Float64Array;
  /** [k] row indices. */
  chosen: Int32Array;
}

/** Greedy k-means++ (Arthur & Vassilvitskii 2007; as scikit-learn: of several candidates the one that lowers the potential most). */
export function* kmeansPlusPlusReference({ points, k, trials, uniforms, chosen }: KMeansPlusPlusArgs): Generator<void> {
  const { data, rows, cols } = points;
  const closest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const withRow = (row: number) =>
    closest.map((now, i) => Math.min(now, squaredEuclidean(data, i * cols, data, row * cols, cols, 0, 0)));
  const take = (row: number) => {
    closest.set(withRow(row));
    return sum(closest);
  };
  chosen[0] = Math.min(rows - 1, Math.floor(uniforms[0] * rows));
  let total = take(chosen[0]);
  for (let c = 1; c < k; c++) {
    let best = Number.POSITIVE_INFINITY;
    for (let t = 0; t < trials; t++) {
      const row = draw(closest, uniforms[c * trials + t] * total);
      const potential = sum(withRow(row));
      if (potential < best) {
        best = potential;
        chosen[c] = row;
      }
      yield;
    }
    total = take(chosen[c]);
  }
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
