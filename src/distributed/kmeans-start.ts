import { type AsyncKernelOptions, type KernelOptions, pairwiseDistance } from '../kernels/index.js';
import { type RandomStream, randomStream } from '../random.js';
import { gatherRows, ownerOf, type Part, partOfRow, rowIn, type ShardedPoints } from './sharded-points.js';
import { joined } from './sum-of-parts.js';
import { stopIfAborted } from './together.js';

/** The first centroids [k,d], the same on every rank; `restart` draws others. */
export async function drawStart(
  points: ShardedPoints,
  { k, init, seed, device, signal }: { k: number; init: 'k-means++' | 'random'; seed: number } & AsyncKernelOptions,
  restart: number,
): Promise<Float32Array> {
  const random = randomStream(seed, 'kmeans', 0, restart);
  if (init === 'random') return rowsAt(points, [...random.permutation(points.rows).subarray(0, k)]);
  return new PlusPlus(points, { device }).draw(k, random, signal);
}

/** Rows by their numbers among all. */
function rowsAt(points: ShardedPoints, rows: readonly number[]): Promise<Float32Array> {
  const owners = rows.map((row) => ownerOf(points, partOfRow(points, row)));
  const own = rows.flatMap((row) =>
    points.parts.flatMap((part) => (isIn(part, row) ? [rowIn(part, row - part.begin)] : [])),
  );
  return gatherRows(points, owners, own);
}

const isIn = ({ begin, points: { rows } }: Part, row: number) => row >= begin && row < begin + rows;

/**
 * Greedy k-means++ as the kernel has it (Arthur & Vassilvitskii 2007): of several rows drawn by their squared distance to the nearest centroid
 * the one that lowers the sum of these most stays. All ranks draw by the same numbers from the sums of parts, in their order; the rank
 * that has the part finds the row. Distances are the pairwise kernel's, so the rows may be others than those of the kernel kmeans.
 */
class PlusPlus {
  readonly #points: ShardedPoints;
  readonly #options: KernelOptions;
  /** Of every row of every part of this rank, to the nearest centroid so far. */
  readonly #closest: Float32Array[];
  /** Their sums, of all parts. */
  #sums = new Float64Array(0);

  constructor(points: ShardedPoints, options: KernelOptions) {
    this.#points = points;
    this.#options = { ...options, checkFinite: false };
    this.#closest = points.parts.map((part) => new Float32Array(part.points.rows).fill(Number.POSITIVE_INFINITY));
  }

  async draw(k: number, random: RandomStream, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { rows, cols } = this.#points;
    const trials = 2 + Math.floor(Math.log(k));
    const uniforms = random.uniforms(k * trials);
    const centroids = new Float32Array(k * cols);
    const first = Math.min(rows - 1, Math.floor(uniforms[0] * rows));
    centroids.set(await this.#best(await rowsAt(this.#points, [first])));
    for (let c = 1; c < k; c++) {
      await stopIfAborted(this.#points.group, signal);
      const candidates = await this.#candidates(uniforms.subarray(c * trials, (c + 1) * trials));
      centroids.set(await this.#best(candidates), c * cols);
    }
    return centroids;
  }

  /** One row for each number in [0,1). */
  #candidates(uniforms: Float64Array): Promise<Float32Array> {
    const total = this.#sums.reduce((sum, of) => sum + of, 0);
    const owners: number[] = [];
    const own: Float32Array[] = [];
    for (const uniform of uniforms) {
      const { at: number, left } = passedBy(this.#sums, uniform * total);
      owners.push(ownerOf(this.#points, number));
      const mine = this.#points.parts.findIndex((part) => part.number === number);
      if (mine >= 0) own.push(rowIn(this.#points.parts[mine], passedBy(this.#closest[mine], left).at));
    }
    return gatherRows(this.#points, owners, own);
  }

  /** Of these rows the first that leaves the least sum; it becomes a centroid. */
  async #best(candidates: Float32Array): Promise<Float32Array> {
    const { parts, cols, group } = this.#points;
    const trials = candidates.length / cols;
    const distances: Float32Array[] = [];
    const own = new Float64Array(parts.length * trials);
    for (const [i, { points }] of parts.entries()) {
      const { data } = await pairwiseDistance(points, { data: candidates, rows: trials, cols }, this.#options);
      distances.push(data);
      for (let t = 0; t < trials; t++) own[i * trials + t] = sumOfLess(this.#closest[i], data, t, trials);
    }
    const sums = joined(await group.allGather(own));
    const chosen = leastColumn(sums, trials);
    this.#sums = sums.filter((_, i) => i % trials === chosen);
    for (const [i, data] of distances.entries()) takeLess(this.#closest[i], data, chosen, trials);
    return candidates.slice(chosen * cols, (chosen + 1) * cols);
  }
}

/** Where the running sum of `values` first passes `target`, but for the last; and what of the target is left there. */
function passedBy(values: Float64Array | Float32Array, target: number): { at: number; left: number } {
  let at = 0;
  let left = target;
  while (at + 1 < values.length && left >= values[at]) left -= values[at++];
  return { at, left };
}

/** Sum over the rows of the lesser of what is closest and column `t` of [n,trials]. */
function sumOfLess(closest: Float32Array, data: Float32Array, t: number, trials: number): number {
  let sum = 0;
  for (let i = 0; i < closest.length; i++) sum += Math.min(closest[i], data[i * trials + t]);
  return sum;
}

function takeLess(closest: Float32Array, data: Float32Array, t: number, trials: number): void {
  for (let i = 0; i < closest.length; i++) closest[i] = Math.min(closest[i], data[i * trials + t]);
}

/** The first column of [parts,trials] of the least sum. */
function leastColumn(sums: Float64Array, trials: number): number {
  const totals = new Float64Array(trials);
  for (let i = 0; i < sums.length; i++) totals[i % trials] += sums[i];
  return totals.indexOf(totals.reduce((least, total) => Math.min(least, total)));
}
