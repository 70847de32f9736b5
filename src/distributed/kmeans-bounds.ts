import {
  type DeviceMatrix,
  type KernelOptions,
  type Matrix,
  type NearestCentroids,
  nearestCentroid,
} from '../kernels/index.js';
import { squaredEuclidean } from '../kernels/reference/distance.js';

/** Against the rounding of bounds, which are in double: at most, at least. */
const [UP, DOWN] = [1 + 1e-9, 1 - 1e-9];

/** Squared distances of the kernel, in float32: a share that they may be off, and what is lost below the normal range. */
const [KERNEL_UP, SUBNORMAL] = [1 + 1e-4, 1e-37];

/** From so many centroids on, a look at a row's own centroid costs little beside one at all. */
const MANY = 64;

/** Where more than this share of so many rows are open, all rows are compared, and bounds rest. */
const [MOST, SAMPLE] = [0.2, 1000];

/**
 * The assignment step of k-means over its iterations, of one rank's rows. After the first, rows whose label no move of the centroids can have
 * changed are left alone (Hamerly 2010): a bound above the distance to the own centroid, and one below that to all others. Labels are those of the
 * full comparison, always. Where bounds leave too few rows alone they rest, ever longer. On a card all rows
 * are compared: its product is done before the bounds are looked at.
 */
export class BoundedAssignment {
  readonly #points: DeviceMatrix;
  readonly #options: KernelOptions;
  readonly #bounded: boolean;
  #labels: Int32Array;
  /** By row: a distance (not squared) that the own centroid is not farther than; one that no other is nearer than. */
  #upper: Float64Array;
  #lower: Float64Array;
  /** The centroids that the bounds are about; none before the first pass. */
  #before?: Float32Array;
  #squares?: Float64Array;
  /** Passes until bounds are made again, and how many the next rest has. */
  #resting = 0;
  #rest = 1;

  constructor(points: DeviceMatrix, options: KernelOptions) {
    this.#points = points;
    this.#options = { ...options, checkFinite: false };
    this.#bounded = points.device === 'cpu' || points.device === 'js';
    this.#labels = new Int32Array(points.rows).fill(-1);
    const bounds = this.#bounded ? points.rows : 0;
    this.#upper = new Float64Array(bounds);
    this.#lower = new Float64Array(bounds);
  }

  /** The label of each row, in a new array. */
  async labels(centroids: Matrix): Promise<Int32Array> {
    const { rows } = this.#points;
    if (!this.#before) return this.#compareAll(centroids);
    const step = Math.ceil(rows / SAMPLE);
    const open = this.#open(centroids, step);
    if (open.length > MOST * Math.ceil(rows / step)) {
      this.#before = undefined;
      this.#resting = this.#rest;
      this.#rest *= 2;
      return this.#compareAll(centroids);
    }
    await this.#compareOpen(step === 1 ? open : this.#open(centroids, 1), centroids);
    return this.#labels.slice();
  }

  async #compareAll(centroids: Matrix): Promise<Int32Array> {
    const found = await nearestCentroid(this.#points, centroids, this.#options);
    if (this.#resting > 0) this.#resting--;
    else if (this.#bounded) {
      this.#keep(found, centroids);
      this.#before = centroids.data.slice();
    }
    return found.labels;
  }

  async #compareOpen(rows: Int32Array, centroids: Matrix): Promise<void> {
    const { data, cols } = this.#points;
    const picked = new Float32Array(rows.length * cols);
    rows.forEach((row, i) => {
      picked.set(data.subarray(row * cols, (row + 1) * cols), i * cols);
    });
    const few = { data: picked, rows: rows.length, cols };
    if (rows.length > 0) this.#keep(await nearestCentroid(few, centroids, this.#options), centroids, rows);
    this.#before = centroids.data.slice();
  }

  /**
   * Of every `step`-th row those whose label may be another one, now that centroids have moved; brings the bounds of all of these to where centroids
   * are. Bounds that are moved twice still hold.
   */
  #open(centroids: Matrix, step: number): Int32Array {
    const { rows, cols, data } = this.#points;
    const { moves, most, least } = movesFrom(this.#before!, centroids);
    const open = new Int32Array(Math.ceil(rows / step));
    let count = 0;
    for (let i = 0; i < rows; i += step) {
      const label = this.#labels[i];
      this.#upper[i] = (this.#upper[i] + moves[label]) * UP;
      this.#lower[i] = (this.#lower[i] - (moves[label] === most ? least : most)) * DOWN;
      if (this.#upper[i] < this.#lower[i]) continue;
      if (centroids.rows >= MANY) {
        const own = squaredEuclidean(data, i * cols, centroids.data, label * cols, cols, 0, 0);
        this.#upper[i] = Math.sqrt(own) * UP;
        if (this.#upper[i] < this.#lower[i]) continue;
      }
      open[count++] = i;
    }
    return open.subarray(0, count);
  }

  /** What the kernel found of `rows`, or of all. */
  #keep({ labels, distances, secondDistances }: NearestCentroids, centroids: Matrix, rows?: Int32Array): void {
    this.#squares ??= squaresOf(this.#points);
    const { cols } = centroids;
    const largest = squaresOf(centroids).reduce((most, square) => Math.max(most, square), 0);
    // The kernel subtracts products from squared lengths, in float32.
    const rounding = 4 * (cols + 16) * 2 ** -24;
    for (let i = 0; i < labels.length; i++) {
      const row = rows ? rows[i] : i;
      const second = secondDistances[i] * DOWN - rounding * (this.#squares[row] + largest) - SUBNORMAL;
      this.#labels[row] = labels[i];
      this.#upper[row] = Math.sqrt(distances[i] * KERNEL_UP + SUBNORMAL);
      this.#lower[row] = Math.sqrt(Math.max(0, second));
    }
  }
}

/** How far each centroid moved, the farthest, and the farthest of the others (the same where two moved as far). */
function movesFrom(before: Float32Array, { data, rows, cols }: Matrix) {
  const moves = Float64Array.from({ length: rows }, (_, c) => {
    return Math.sqrt(squaredEuclidean(before, c * cols, data, c * cols, cols, 0, 0)) * UP;
  });
  const [most = 0, least = 0] = moves.slice().sort().reverse();
  return { moves, most, least };
}

function squaresOf({ data, rows, cols }: Matrix): Float64Array {
  const squares = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let e = i * cols; e < (i + 1) * cols; e++) sum += data[e] * data[e];
    squares[i] = sum;
  }
  return squares;
}
