import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EatDmlError, invalid } from '../errors.js';
import { joined } from '../joined.js';
import { cpuDevice } from '../kernels/devices.js';
import { centroidMeansSync, type KMeansResult, type Matrix, nearestCentroid } from '../kernels/index.js';
import { checkOneOf, readMatrix } from '../kernels/matrix.js';
import { squaredEuclidean } from '../kernels/reference/distance.js';
import { anything, count, nonNegative, parseOptions, seed, signal } from '../options.js';
import { checkGroup, type Group } from './group.js';
import { BoundedAssignment } from './kmeans-bounds.js';
import { fillEmpty } from './kmeans-empty.js';
import { drawStart } from './kmeans-start.js';
import { partOf, type ShardedPoints, shardPoints, valuesOf } from './sharded-points.js';
import { sumOfParts } from './sum-of-parts.js';
import { checkSame, stopIfAborted, together } from './together.js';

const kmeansOptions = z.strictObject({
  k: count.optional().describe('number of clusters; taken from `init` where that is a matrix'),
  init: anything.describe('start: k-means++ (default), random, or the same centroids [k,d] on every rank'),
  maxIterations: count.default(300).describe('Lloyd iterations per start at most'),
  tolerance: nonNegative
    .default(0)
    .describe('stop where the squared shift of the centroids is at most this share of the variance'),
  restarts: count.default(1).describe('starts of which the one with the least inertia is kept'),
  seed: seed.default(0).describe('fixes the starts'),
  device: z.enum(['auto', 'cuda', 'webgpu', 'cpu', 'js']).optional().describe('where (default auto)'),
  signal: signal.optional().describe('of one rank: it ends the call on all of them'),
});

/** Options of {@link distributedKmeans}. */
export interface DistributedKMeansOptions extends Omit<z.input<typeof kmeansOptions>, 'init'> {
  init?: Matrix | 'k-means++' | 'random';
}

type Checked = z.output<typeof kmeansOptions> & { k: number; init: Matrix | 'k-means++' | 'random' };

/**
 * k-means of rows that are spread over the ranks of a group: `points` [n,d] are this rank's, those that {@link shardOf} deals out. Every rank
 * gives the same options. `labels` of the result are of this rank's rows; all else is that of all rows, the same on every rank. On one
 * device the result has the same bits for any number of ranks, one included. It means what the kernel `kmeans` means, and leaves rows alone that
 * bounds show to keep their label; its k-means++ may draw other rows.
 *
 * @throws EatDmlError on every rank, where one of them is given what does not fit: ERR_ARGUMENT, ERR_NOT_FINITE, ERR_DEVICE, and
 * ERR_DISTRIBUTED where options or shards do not fit together, ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { distributedKmeans, initDistributed, shardOf } from 'eat-dml';
 *
 * const group = await initDistributed();
 * const { begin, end } = shardOf(1000, group); // which rows are this rank's
 * const data = Float32Array.from({ length: (end - begin) * 8 }, (_, i) => Math.sin(begin * 8 + i));
 * const { labels, inertia } = await distributedKmeans(group, { data, rows: end - begin, cols: 8 }, { k: 5, seed: 1 });
 * console.log(labels.length, inertia);
 * await group.finalize();
 * ```
 */
export async function distributedKmeans(
  group: Group,
  points: Matrix,
  options: DistributedKMeansOptions,
): Promise<KMeansResult> {
  checkGroup(group);
  const given = await together(group, () => checked(options));
  await checkSame(group, 'options', textOf(given));
  const sharded = await shardPoints(group, points, given);
  try {
    if (given.k > sharded.rows) throw invalid('k', `at most ${sharded.rows} (the rows of all ranks)`, given.k);
    const { init } = given;
    if (typeof init !== 'string' && init.cols !== sharded.cols)
      throw invalid('init.cols', String(sharded.cols), init.cols);
    const tolerance = given.tolerance > 0 ? given.tolerance * (await meanVariance(sharded)) : 0;
    let best: KMeansResult | undefined;
    for (let restart = 0; restart < given.restarts; restart++) {
      const start =
        typeof init === 'string' ? await drawStart(sharded, { ...given, init }, restart) : init.data.slice();
      const found = await new Lloyd(sharded, { ...given, tolerance }, start).run();
      if (!best || found.inertia < best.inertia) best = found;
    }
    return best!;
  } finally {
    sharded.own.dispose();
  }
}

function checked(options: DistributedKMeansOptions): Checked {
  const { init = 'k-means++', ...given } = parseOptions(kmeansOptions, options);
  if (typeof init === 'string') {
    checkOneOf('init', init, ['k-means++', 'random']);
    if (given.k === undefined) throw invalid('k', 'a positive integer', given.k);
    return { ...given, k: given.k, init };
  }
  const { batch, ...start } = readMatrix('init', init);
  if (batch !== undefined && batch !== 1) throw invalid('init.batch', '1', batch);
  if (given.k !== undefined && given.k !== start.rows) throw invalid('k', `${start.rows} (the rows of init)`, given.k);
  if (given.restarts !== 1) throw invalid('restarts', '1 where init is a matrix', given.restarts);
  const bad = start.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new EatDmlError('ERR_NOT_FINITE', `Expected finite values in init but received ${start.data[bad]}.`);
  return { ...given, k: start.rows, init: { ...start, data: start.data.slice() } };
}

/** What ranks have to agree on, as they would read it. */
function textOf({ init, signal: _, ...given }: Checked): string {
  if (typeof init === 'string') return JSON.stringify({ ...given, init });
  const hash = createHash('sha256').update(
    new Uint8Array(init.data.buffer, init.data.byteOffset, init.data.byteLength),
  );
  return JSON.stringify({ ...given, init: `${init.rows} x ${init.cols}, ${hash.digest('hex').slice(0, 16)}` });
}

class Lloyd {
  readonly #points: ShardedPoints;
  readonly #given: Checked;
  readonly #centroids: Matrix;
  readonly #assignment: BoundedAssignment;
  #labels: Int32Array;

  constructor(points: ShardedPoints, given: Checked, start: Float32Array) {
    this.#points = points;
    this.#given = given;
    this.#centroids = { data: start, rows: given.k, cols: points.cols };
    this.#assignment = new BoundedAssignment(points.own, { device: given.device });
    this.#labels = new Int32Array(points.own.rows).fill(-1);
  }

  async run(): Promise<KMeansResult> {
    const { maxIterations, tolerance, signal } = this.#given;
    let [iterations, strict, settled] = [0, false, false];
    while (iterations < maxIterations && !strict && !settled) {
      await stopIfAborted(this.#points.group, signal);
      const before = this.#labels;
      this.#labels = await this.#assignment.labels(this.#centroids);
      const { sums, counts, changed } = await this.#sums(before);
      settled = (await this.#update(sums, counts)) <= tolerance;
      strict = changed === 0;
      iterations++;
    }
    if (!strict) this.#labels = await this.#assignment.labels(this.#centroids);
    const { inertia, counts } = await this.#measure();
    return {
      labels: this.#labels,
      centroids: this.#centroids,
      counts,
      inertia,
      iterations,
      converged: strict || settled,
    };
  }

  /** Of all rows by label, part by part; and how many labels changed. */
  async #sums(before: Int32Array): Promise<{ sums: Float64Array; counts: Float64Array; changed: number }> {
    const { device, k } = this.#given;
    const { group, rows, cols } = this.#points;
    const labels = this.#labels;
    // Where rows lie in main memory.
    const near = device === 'js' ? 'js' : cpuDevice().available ? 'cpu' : 'js';
    const all = await sumOfParts(group, rows, (number) => {
      const part = partOf(this.#points, number)!;
      const { first, last } = part;
      let changed = 0;
      for (let i = first; i < last; i++) if (labels[i] !== before[i]) changed++;
      const points = { data: valuesOf(this.#points, part), rows: last - first, cols };
      const of = centroidMeansSync(points, labels.subarray(first, last), { device: near, k, checkFinite: false });
      return joined([of.sums, of.counts, Float64Array.of(changed)]);
    });
    return { sums: all.subarray(0, k * cols), counts: all.subarray(k * cols, -1), changed: all[k * cols + k] };
  }

  /** Moves the centroids; returns their summed squared shift. A cluster that stays empty keeps its centroid. */
  async #update(sums: Float64Array, counts: Float64Array): Promise<number> {
    const { data, cols } = this.#centroids;
    if (counts.includes(0)) {
      const options = { device: this.#given.device, checkFinite: false };
      const assigned = await nearestCentroid(this.#points.own, this.#centroids, options);
      await fillEmpty(this.#points, assigned, sums, counts);
    }
    let shift = 0;
    for (let e = 0; e < data.length; e++) {
      const of = counts[Math.floor(e / cols)];
      if (of === 0) continue;
      const moved = Math.fround(sums[e] / of);
      shift += (moved - data[e]) ** 2;
      data[e] = moved;
    }
    return shift;
  }

  /** Inertia and counts of the labels and centroids as they are. */
  async #measure(): Promise<{ inertia: number; counts: Int32Array }> {
    const { k } = this.#given;
    const { group, rows, cols, own } = this.#points;
    const labels = this.#labels;
    const all = await sumOfParts(group, rows, (number) => {
      const { first, last } = partOf(this.#points, number)!;
      const vector = new Float64Array(k + 1);
      for (let i = first; i < last; i++) {
        vector[labels[i]]++;
        vector[k] += squaredEuclidean(own.data, i * cols, this.#centroids.data, labels[i] * cols, cols, 0, 0);
      }
      return vector;
    });
    return { inertia: all[k], counts: Int32Array.from(all.subarray(0, k)) };
  }
}

/** Mean over the columns of their variance, over the rows of all ranks. */
async function meanVariance(points: ShardedPoints): Promise<number> {
  const { group, rows, cols } = points;
  const sum = await sumOfParts(group, rows, (number) => {
    const of = new Float64Array(cols);
    valuesOf(points, partOf(points, number)!).forEach((value, i) => {
      of[i % cols] += value;
    });
    return of;
  });
  const [squares] = await sumOfParts(group, rows, (number) => {
    const values = valuesOf(points, partOf(points, number)!);
    let total = 0;
    for (let i = 0; i < values.length; i++) total += (values[i] - sum[i % cols] / rows) ** 2;
    return Float64Array.of(total);
  });
  return squares / (rows * cols);
}
