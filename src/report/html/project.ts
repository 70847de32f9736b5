import { randomStream } from '../../random.js';

/** Rows of a matrix, in the plane. */
export interface Plane {
  /** x and y of each row. */
  points: [x: number, y: number][];
  method: 'UMAP' | 'PCA';
}

interface Rows {
  data: Float32Array;
  rows: number;
  cols: number;
}

/** Rows up to which UMAP takes seconds: its neighbours are looked for one by one. */
const UMAP_ROWS = 4000;
const NEIGHBOURS = 15;

/** All rows in one plane, so that those of two sets can be compared; the same from the same seed. */
export async function projected(matrix: Rows, seed: number): Promise<Plane> {
  const enough = matrix.rows > 2 * NEIGHBOURS;
  if (!enough || matrix.rows > UMAP_ROWS) return { points: principal(matrix, seed), method: 'PCA' };
  const { UMAP } = await import('umap-js');
  const { uniform } = randomStream(seed, 'umap');
  const umap = new UMAP({ nNeighbors: NEIGHBOURS, random: uniform });
  const { indices, distances } = neighbours(matrix);
  umap.setPrecomputedKNN(indices, distances);
  const rows = Array.from({ length: matrix.rows }, (_, row) => Array.from(rowOf(matrix, row)));
  // Told after every round, and so has other work its turn.
  const points = await umap.fitAsync(rows, () => true);
  return { points: points as [number, number][], method: 'UMAP' };
}

function rowOf({ data, cols }: Rows, row: number): Float32Array {
  return data.subarray(row * cols, (row + 1) * cols);
}

/** The nearest rows of every row, itself the first of them, as UMAP takes them: exact, and faster than its own search at this size. */
function neighbours(matrix: Rows): { indices: number[][]; distances: number[][] } {
  const [indices, distances]: number[][][] = [[], []];
  for (let row = 0; row < matrix.rows; row++) {
    const [nearest, squares]: number[][] = [[], []];
    for (let other = 0; other < matrix.rows; other++) {
      const square = other === row ? -1 : squaredDistance(rowOf(matrix, row), rowOf(matrix, other));
      if (nearest.length === NEIGHBOURS && square >= squares[NEIGHBOURS - 1]) continue;
      const after = squares.findIndex((value) => value > square);
      const at = after < 0 ? nearest.length : after;
      nearest.splice(at, 0, other);
      squares.splice(at, 0, square);
      nearest.length = Math.min(nearest.length, NEIGHBOURS);
      squares.length = nearest.length;
    }
    indices.push(nearest);
    distances.push(squares.map((square) => Math.sqrt(Math.max(0, square))));
  }
  return { indices, distances };
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

const ROUNDS = 50;

/** The two directions of largest variance, by orthogonal iteration from a random start. */
export function principal(matrix: Rows, seed: number): [number, number][] {
  const { rows, cols } = matrix;
  const mean = new Float64Array(cols);
  for (let row = 0; row < rows; row++) for (const [i, value] of rowOf(matrix, row).entries()) mean[i] += value / rows;
  const { normal } = randomStream(seed, 'pca');
  let axes: Float64Array[] = [0, 1].map(() => Float64Array.from({ length: cols }, () => normal()));
  for (let round = 0; round < ROUNDS; round++) {
    axes = orthonormal(axes.map((axis) => varianceAlong(matrix, mean, axis)));
  }
  return Array.from({ length: rows }, (_, row) => {
    const [x, y] = axes.map((axis) => along(rowOf(matrix, row), mean, axis));
    return [x, y];
  });
}

function along(row: Float32Array, mean: Float64Array, axis: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += (row[i] - mean[i]) * axis[i];
  return sum;
}

/** The covariance, up to its scale, times a direction. */
function varianceAlong(matrix: Rows, mean: Float64Array, axis: Float64Array): Float64Array {
  const product = new Float64Array(matrix.cols);
  for (let r = 0; r < matrix.rows; r++) {
    const row = rowOf(matrix, r);
    const weight = along(row, mean, axis);
    for (let i = 0; i < row.length; i++) product[i] += weight * (row[i] - mean[i]);
  }
  return product;
}

/** Gram and Schmidt's; a direction along which nothing varies is nothing. */
function orthonormal([first, second]: Float64Array[]): Float64Array[] {
  const unit = (axis: Float64Array) => {
    const length = Math.sqrt(axis.reduce((sum, value) => sum + value ** 2, 0));
    return length === 0 ? axis : axis.map((value) => value / length);
  };
  const one = unit(first);
  const overlap = second.reduce((sum, value, i) => sum + value * one[i], 0);
  return [one, unit(second.map((value, i) => value - overlap * one[i]))];
}
