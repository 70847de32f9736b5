import type { Matrix } from '../matrix.js';

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
 * potential most), or blocks of draws between updates as in k-means|| (Bahmani et al. 2012). Sums are made in the contract's
 * order, so that every device draws the same rows.
 */
export function* kmeansPlusPlusReference(args: KMeansPlusPlusArgs): Generator<void> {
  const { points, k, trials, block, uniforms, chosen } = args;
  const { rows } = points;
  const closest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const parts = new Float64Array(8);
  const withRow = (row: number) => closest.map((now, i) => Math.min(now, seedingDistance(points, i, row, parts)));
  chosen[0] = Math.min(rows - 1, Math.floor(uniforms[0] * rows));
  closest.set(withRow(chosen[0]));
  for (let c = 1; c < k; ) {
    const sums = chunkSums(closest);
    const total = sumOf(sums);
    const draws = block > 1 ? Math.min(block, k - c) : trials;
    const drawn = Array.from({ length: draws }, (_, t) =>
      draw(closest, sums, uniforms[block > 1 ? c + t : c * trials + t] * total),
    );
    const taken = block > 1 ? drawn : [best(drawn, (row) => sumOf(chunkSums(withRow(row))))];
    for (const row of taken) {
      chosen[c++] = row;
      closest.set(withRow(row));
      yield;
    }
  }
}

/** |x - y|² of two rows, in the contract's order: eight sums, of every eighth dimension each, then their tree. */
function seedingDistance({ data, cols }: Matrix, i: number, j: number, parts: Float64Array): number {
  parts.fill(0);
  for (let k = 0; k < cols; k++) {
    const t = data[i * cols + k] - data[j * cols + k];
    parts[k & 7] += t * t;
  }
  return fold(parts);
}

/** Values summed together. */
const CHUNK = 1024;

/** The sum of every chunk of values, in the contract's order: 256 sums, of every 256th value each, then their tree. */
function chunkSums(values: Float64Array): Float64Array {
  return Float64Array.from({ length: Math.ceil(values.length / CHUNK) }, (_, chunk) => {
    const parts = new Float64Array(256);
    const end = Math.min(values.length, (chunk + 1) * CHUNK);
    for (let i = chunk * CHUNK; i < end; i++) parts[i % 256] += values[i];
    return fold(parts);
  });
}

/** Adds the upper half of the values to the lower one, until one value is left. */
function fold(values: Float64Array): number {
  for (let half = values.length / 2; half >= 1; half /= 2) {
    for (let i = 0; i < half; i++) values[i] += values[i + half];
  }
  return values[0];
}

const sumOf = (values: Float64Array) => values.reduce((total, x) => total + x, 0);

/** The first row of the smallest potential. */
function best(rows: number[], potential: (row: number) => number): number {
  const potentials = rows.map(potential);
  return rows[potentials.indexOf(potentials.reduce((least, x) => Math.min(least, x)))];
}

/** The row in which the running sum first passes `target`: chunk by chunk, then row by row. */
function draw(closest: Float64Array, sums: Float64Array, target: number): number {
  let chunk = 0;
  while (chunk + 1 < sums.length && target >= sums[chunk]) target -= sums[chunk++];
  let row = chunk * CHUNK;
  const end = Math.min(closest.length, row + CHUNK);
  while (row + 1 < end && target >= closest[row]) target -= closest[row++];
  return row;
}
