import { joined } from '../joined.js';
import { type AsyncKernelOptions, type KernelOptions, pairwiseDistance } from '../kernels/index.js';
import { type RandomStream, randomStream } from '../random.js';
import { gatherRows, ownerOf, type Part, partOf, partOfRow, rowAt, type ShardedPoints } from './sharded-points.js';
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
  const { begin, own } = points;
  const owners = rows.map((row) => ownerOf(points, partOfRow(points, row)));
  const mine = rows.filter((row) => row >= begin && row < begin + own.rows).map((row) => rowAt(points, row - begin));
  return gatherRows(points, owners, mine);
}

/**
 * Greedy k-means++ as the kernel has it (Arthur & Vassilvitskii 2007): of several rows drawn by their squared distance to the nearest centroid
 * the one that lowers the sum of these most stays. All ranks draw by the same numbers from the sums of parts, in their order; the rank
 * that has the part finds the row. Distances are the pairwise kernel's, so the rows may be others than those of the kernel kmeans.
 */
class PlusPlus {
  readonly #points: ShardedPoints;
  readonly #options: KernelOptions;
  /** Of every row of this rank, to the nearest centroid so far. */
  readonly #closest: Float32Array;
  /** Of every row of this rank, to the rows that were drawn last. */
  #distances: Float32Array = new Float32Array(0);
  /** Sums of what is closest, of all parts. */
  #sums = new Float64Array(0);

  constructor(points: ShardedPoints, options: KernelOptions) {
    this.#points = points;
    this.#options = { ...options, checkFinite: false };
    this.#closest = new Float32Array(points.own.rows).fill(Number.POSITIVE_INFINITY);
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
      const part = partOf(this.#points, number);
      if (part)
        own.push(rowAt(this.#points, part.first + passedBy(this.#closest.subarray(part.first, part.last), left).at));
    }
    return gatherRows(this.#points, owners, own);
  }

  /** Of these rows the first that leaves the least sum; it becomes a centroid. */
  async #best(candidates: Float32Array): Promise<Float32Array> {
    const { parts, cols, group, own } = this.#points;
    const trials = candidates.length / cols;
    // The memory of the last ones again, which the call takes over.
    const out = this.#distances.length === own.rows * trials ? this.#distances : undefined;
    const to = { data: candidates, rows: trials, cols };
    const { data } = await pairwiseDistance(own, to, { ...this.#options, ...(out && { out }) });
    this.#distances = data;
    const ofParts = parts.map((part) => sumsOfLess(this.#closest, data, part, trials));
    const sums = joined(await group.allGather(joined(ofParts)));
    const chosen = leastColumn(sums, trials);
    this.#sums = sums.filter((_, i) => i % trials === chosen);
    for (let i = 0; i < own.rows; i++) this.#closest[i] = Math.min(this.#closest[i], data[i * trials + chosen]);
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

/** For each column of [n,trials] the sum over the part's rows of the lesser of it and of what is closest. */
function sumsOfLess(closest: Float32Array, data: Float32Array, { first, last }: Part, trials: number): Float64Array {
  const sums = new Float64Array(trials);
  for (let i = first; i < last; i++) {
    const now = closest[i];
    for (let t = 0; t < trials; t++) {
      const distance = data[i * trials + t];
      sums[t] += distance < now ? distance : now;
    }
  }
  return sums;
}

/** The first column of [parts,trials] of the least sum. */
function leastColumn(sums: Float64Array, trials: number): number {
  const totals = new Float64Array(trials);
  for (let i = 0; i < sums.length; i++) totals[i % trials] += sums[i];
  return totals.indexOf(totals.reduce((least, total) => Math.min(least, total)));
}
