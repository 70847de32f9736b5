import { z } from 'zod';
import { invalid, throwIfAborted } from '../errors.js';
import { type Matrix, type Metric, type Neighbors, nearestNeighbors } from '../kernels/index.js';
import { checkFinite, readMatrix } from '../kernels/matrix.js';
import { distanceOf, squaredNorms } from '../kernels/reference/distance.js';
import { count, parseOptions, signal } from '../options.js';
import { checkGroup, distributedError, type Group } from './group.js';
import { type ShardedPoints, shardPoints } from './sharded-points.js';
import { checkSame, together } from './together.js';

const neighborsOptions = z.strictObject({
  k: count.describe('how many neighbours of each query'),
  excludeSelf: z
    .boolean('true or false')
    .default(false)
    .describe('queries and points are the same rows, and none is its own neighbour'),
  metric: z
    .enum(['sqeuclidean', 'euclidean', 'cosine', 'dot'])
    .default('sqeuclidean')
    .describe('for dot the largest product is the nearest'),
  device: z.enum(['auto', 'cuda', 'webgpu', 'cpu', 'js']).optional().describe('where (default auto)'),
  signal: signal.optional().describe('of one rank: it ends the call on all of them'),
});

/** Options of {@link distributedNeighbors}. */
export interface DistributedNeighborsOptions extends z.input<typeof neighborsOptions> {}

type Checked = z.output<typeof neighborsOptions>;

/** Values (of queries, or of what all ranks found for them) that are sent around at once. */
const SENT = 2 ** 22;

/**
 * The k nearest of the `points` of all ranks for each of this rank's `queries` [q,d], exactly: a search of a gallery that no rank has whole.
 * `points` [n,d] are this rank's rows, those that {@link shardOf} deals out; queries are spread as they may be, a few thousand of them at a
 * time go to every rank, and what each finds among its own rows comes back. Indices count the points of all ranks. They and the
 * distances, which are of double precision as far as float32 holds it, have the same bits for any number of ranks, one included; a tie
 * goes to the lowest index.
 *
 * @throws EatDmlError on every rank, where one of them is given what does not fit: ERR_ARGUMENT, ERR_NOT_FINITE, ERR_DEVICE, and
 * ERR_DISTRIBUTED where options or shards do not fit together, ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { distributedNeighbors, initDistributed, shardOf } from 'eat-dml';
 *
 * const group = await initDistributed();
 * const { begin, end } = shardOf(1000, group); // which rows of the gallery are this rank's
 * const data = Float32Array.from({ length: (end - begin) * 8 }, (_, i) => Math.sin(begin * 8 + i));
 * const own = { data, rows: end - begin, cols: 8 };
 * const { indices } = await distributedNeighbors(group, own, own, { k: 3, excludeSelf: true });
 * console.log(indices.subarray(0, 3)); // of this rank's first row, among all 1000
 * await group.finalize();
 * ```
 */
export async function distributedNeighbors(
  group: Group,
  queries: Matrix,
  points: Matrix,
  options: DistributedNeighborsOptions,
): Promise<Neighbors> {
  checkGroup(group);
  const given = await together(group, () => parseOptions(neighborsOptions, options));
  const { signal: _, ...alike } = given;
  await checkSame(group, 'options', JSON.stringify(alike));
  const own = await together(group, () => queriesOf(queries));
  const sharded = await shardPoints(group, points, given);
  try {
    return await new Search(sharded, given, own).run();
  } finally {
    sharded.own.dispose();
  }
}

/** A private copy. */
function queriesOf(given: Matrix): Matrix {
  const { data, rows, cols, batch } = readMatrix('queries', given);
  if (batch !== undefined && batch !== 1) throw invalid('queries.batch', '1 or no batch', batch);
  const own = { data: data.slice(), rows, cols };
  checkFinite('queries', own);
  return own;
}

/** What one rank found for some queries: k of each; those that it lacks are at the end, with a key of Infinity. */
interface Candidates {
  indices: Int32Array;
  keys: Float64Array;
}

class Search {
  readonly #points: ShardedPoints;
  readonly #given: Checked;
  readonly #queries: Matrix;
  /** By which candidates are compared. */
  readonly #metric: Metric;
  readonly #norms: Float64Array;

  constructor(points: ShardedPoints, given: Checked, queries: Matrix) {
    this.#points = points;
    this.#given = given;
    this.#queries = queries;
    this.#metric = given.metric === 'euclidean' ? 'sqeuclidean' : given.metric;
    this.#norms = squaredNorms(points.own);
  }

  async run(): Promise<Neighbors> {
    const { group, rows, cols, own } = this.#points;
    const { k, excludeSelf } = this.#given;
    const available = rows - (excludeSelf ? 1 : 0);
    if (k > available) throw invalid('k', `at most ${available} (the neighbours a query can have)`, k);
    const shapes = await group.allGather(Float64Array.of(this.#queries.rows, this.#queries.cols, own.rows));
    for (const [rank, [count, width, pointRows]] of shapes.entries()) {
      if (width !== cols) throw misfit(`${cols} columns, as the points have,`, rank, width);
      if (excludeSelf && count !== pointRows) throw misfit(`${pointRows} rows, as the points have,`, rank, count);
    }
    const indices = new Int32Array(this.#queries.rows * k);
    const distances = new Float32Array(this.#queries.rows * k);
    const most = Math.max(1, Math.floor(SENT / Math.max(cols, group.size * k)));
    for (let rank = 0, before = 0; rank < group.size; before += shapes[rank++][0]) {
      for (let first = 0; first < shapes[rank][0]; first += most) {
        const count = Math.min(most, shapes[rank][0] - first);
        const found = await this.#foundFor(rank, first, count, before + first);
        if (rank !== group.rank) continue;
        for (let q = 0; q < count; q++) this.#merge(found, q, (first + q) * k, indices, distances);
      }
    }
    return { indices, distances };
  }

  /** What every rank finds for `count` queries of one of them, which are the `number`-th of all and the next. */
  async #foundFor(rank: number, first: number, count: number, number: number): Promise<Candidates[]> {
    const { group, cols } = this.#points;
    const mine = rank === group.rank;
    const sent = mine ? this.#queries.data.slice(first * cols, (first + count) * cols) : new Float32Array(count * cols);
    const data = group.size === 1 ? sent : await group.broadcast(sent, rank);
    const own = await together(group, () => {
      throwIfAborted(this.#given.signal);
      return this.#candidates({ data, rows: count, cols }, number);
    });
    if (group.size === 1) return [own];
    const [indices, keys] = [await group.allGather(own.indices), await group.allGather(own.keys)];
    return indices.map((of, at) => ({ indices: of, keys: keys[at] }));
  }

  /** This rank's nearest rows, by distances in double precision. */
  async #candidates(queries: Matrix, number: number): Promise<Candidates> {
    const { own, cols, begin } = this.#points;
    const { k, excludeSelf, device } = this.#given;
    const metric = this.#metric;
    // One more, as the own row may be among them.
    const most = Math.min(own.rows, k + (excludeSelf ? 1 : 0));
    const near = await nearestNeighbors(queries, own, { k: most, metric, device, checkFinite: false });
    const [distance, norms, sign] = [distanceOf(metric), squaredNorms(queries), metric === 'dot' ? -1 : 1];
    const indices = new Int32Array(queries.rows * k).fill(-1);
    const keys = new Float64Array(queries.rows * k).fill(Number.POSITIVE_INFINITY);
    for (let q = 0; q < queries.rows; q++) {
      let at = q * k;
      for (const row of near.indices.subarray(q * most, (q + 1) * most)) {
        if ((excludeSelf && begin + row === number + q) || at === (q + 1) * k) continue;
        indices[at] = begin + row;
        keys[at++] = sign * distance(queries.data, q * cols, own.data, row * cols, cols, norms[q], this.#norms[row]);
      }
    }
    return { indices, keys };
  }

  /** The k nearest of all ranks' candidates of query `q`, each rank's in their order, to place `at`. */
  #merge(found: readonly Candidates[], q: number, at: number, indices: Int32Array, distances: Float32Array): void {
    const { k, metric } = this.#given;
    const next = found.map(() => q * k);
    const end = (q + 1) * k;
    const keyOf = (rank: number) => (next[rank] < end ? found[rank].keys[next[rank]] : Number.POSITIVE_INFINITY);
    for (let place = at; place < at + k; place++) {
      // The first of the least: ranks have their rows in order.
      let nearest = 0;
      for (let rank = 1; rank < found.length; rank++) if (keyOf(rank) < keyOf(nearest)) nearest = rank;
      const key = keyOf(nearest);
      indices[place] = found[nearest].indices[next[nearest]++];
      distances[place] = metric === 'euclidean' ? Math.sqrt(key) : metric === 'dot' ? -key : key;
    }
  }
}

function misfit(expected: string, rank: number, received: number): Error {
  return distributedError(
    `Expected queries of ${expected} on rank ${rank} but received ${received}.`,
    'shardOf(rows, group) says which rows are a rank’s.',
  );
}
