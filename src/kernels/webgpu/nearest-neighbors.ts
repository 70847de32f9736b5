import { type Matrix, METRICS, type Metric } from '../matrix.js';
import { distanceOf, squaredNorms } from '../reference/distance.js';
import { type NearestNeighborsArgs, nearestNeighborsReference } from '../reference/nearest-neighbors.js';
import { planRows, type RowsPlan } from './distance-tiles.js';
import { onHost, type WebgpuKernel } from './host.js';
import { type BlockDistances, distanceBlocks } from './pairwise-distance.js';
import { floatBits, type Gpu } from './run.js';
import { sumBelow, threadsOf } from './subgroups.js';
import { distanceError } from './tile.js';

const THREADS = 256;

/**
 * A workgroup per query, or for several: the key of the k-th nearest by radix selection, 8 bits at a time, then all points whose key is within the
 * rounding bound of it, in any order. Keys are floats turned into integers of the same order; `margins` has each query's bound.
 */
const selectProgram = (subgroups: boolean) => {
  const { head, parameters, begin, number } = threadsOf(subgroups);
  return `${head}
struct Params { queries: u32, points: u32, k: u32, room: u32, sign: f32, share: f32, first_query: u32, first_point: u32, skip_self: u32, across: u32, total: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> distances: array<f32>;
@group(0) @binding(2) var<storage, read> margins: array<f32>;
@group(0) @binding(3) var<storage, read_write> found: array<u32>;
var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> taken: atomic<u32>;
var<workgroup> chosen: vec2u;
${sumBelow(THREADS, subgroups)}
fn key_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value + 0.0);
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}
fn value_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u)); }
fn skipped(row: u32, j: u32) -> bool { return p.skip_self == 1u && p.first_query + row % p.queries == p.first_point + j; }
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, ${parameters}) {
  ${begin}
  let local = ${number};
  for (var row = group.x; row < p.total; row += p.across) { choose(row, local); }
}
fn choose(row: u32, local: u32) {
  let first = row * p.points;
  var prefix = 0u;
  var mask = 0u;
  var left = p.k;
  for (var shift = 24i; shift >= 0; shift -= 8) {
    atomicStore(&bins[local], 0u);
    workgroupBarrier();
    for (var j = local; j < p.points; j += ${THREADS}u) {
      let key = key_of(p.sign * distances[first + j]);
      if ((key & mask) == prefix && !skipped(row, j)) { atomicAdd(&bins[(key >> u32(shift)) & 255u], 1u); }
    }
    workgroupBarrier();
    let own = atomicLoad(&bins[local]);
    let below = sum_below(own, local);
    if (below < left && left - below <= own) { chosen = vec2u(local, left - below); }
    let next = workgroupUniformLoad(&chosen);
    left = next.y;
    prefix |= next.x << u32(shift);
    mask |= 255u << u32(shift);
  }
  let kth = value_of(prefix);
  let limit = kth + abs(kth) * p.share + margins[row];
  if (local == 0u) { atomicStore(&taken, 0u); }
  workgroupBarrier();
  for (var j = local; j < p.points; j += ${THREADS}u) {
    if (p.sign * distances[first + j] > limit || skipped(row, j)) { continue; }
    let place = atomicAdd(&taken, 1u);
    if (place < p.room) { found[row * (p.room + 1u) + 1u + place] = p.first_point + j; }
  }
  workgroupBarrier();
  if (local == 0u) { found[row * (p.room + 1u)] = atomicLoad(&taken); }
}`;
};

/** The k nearest of each query: the device finds who may be among them, the host ranks those in double. */
export const nearestNeighbors: WebgpuKernel<NearestNeighborsArgs> = async (args, gpu) => {
  const { queries, points } = args;
  const metric = METRICS[args.metric];
  const plan = planRows({ queries, points }, metric, args.checkFinite ?? true);
  if (!plan) return onHost(nearestNeighborsReference(args), gpu);
  const ranking = new Ranking(args, metric);
  const select = await gpu.pipeline(selectProgram(gpu.limits.subgroups));
  // Candidates of the rows of one block of queries, from all of its blocks of points.
  let candidates: Candidates[] = [];
  for await (const block of distanceBlocks(gpu, queries, points, plan, false)) {
    const { matrices, rows, columns } = block;
    if (columns.first === 0) candidates = Array.from({ length: matrices.count * rows.count }, () => []);
    const found = await selectIn(gpu, select, block, args, ranking.margins(block, plan));
    gpu.free(block.out, block.flags);
    for (const [i, more] of found.entries()) candidates[i] = more && candidates[i] && [...candidates[i], ...more];
    if (columns.first + columns.count < points.rows) continue;
    const first = matrices.first * queries.rows + rows.first;
    await onHost(ranking.rank(first, candidates), gpu);
  }
};

/** Points of a query's matrix; undefined where there were more than was room for. */
type Candidates = number[] | undefined;

async function selectIn(
  gpu: Gpu,
  pipeline: Awaited<ReturnType<Gpu['pipeline']>>,
  { matrices, rows, columns, out }: BlockDistances,
  { queries, k, excludeSelf, metric }: NearestNeighborsArgs,
  margins: Float32Array<ArrayBuffer>,
): Promise<Candidates[]> {
  const total = matrices.count * rows.count;
  // A part of the points may have fewer than k; without the query itself, one less.
  const here = columns.count - (excludeSelf ? 1 : 0);
  const wanted = Math.min(k, here);
  const all = Array.from({ length: columns.count }, (_, j) => columns.first + j);
  if (wanted < k || here === 0) return Array.from({ length: total }, () => all);
  const room = Math.min(columns.count, Math.floor(gpu.limits.binding / 4 / total) - 1, 2 * k + 64);
  if (room < k) return Array.from({ length: total }, () => undefined);
  const answer = new Uint32Array(total * (room + 1));
  const [bounds, found] = [gpu.buffer(margins), gpu.buffer(answer.byteLength)];
  const across = Math.min(total, gpu.limits.workgroups);
  // Of two keys that are each off by the bound; cosine sums in shorter slices.
  const share = METRICS[metric] === 'dot' ? 0 : 8 * distanceError(queries.cols);
  const numbers = [METRICS[metric] === 'dot' ? -1 : 1, share].map(floatBits);
  const places = [rows.first, columns.first, excludeSelf ? 1 : 0, across, total];
  const words = [rows.count, columns.count, wanted, room, ...numbers, ...places];
  gpu.run([{ pipeline, words, buffers: [out, bounds, found], groups: [across] }]);
  await gpu.read([found, answer]);
  gpu.free(bounds, found);
  return Array.from({ length: total }, (_, i) => {
    const [at, count] = [i * (room + 1), answer[i * (room + 1)]];
    return count > room ? undefined : [...answer.subarray(at + 1, at + 1 + count)];
  });
}

/** Distances in double, as the reference ranks by them. */
class Ranking {
  readonly #norms: { queries: Float64Array; points: Float64Array };
  readonly #longest: Float64Array;

  constructor(
    readonly args: NearestNeighborsArgs,
    readonly metric: Metric,
  ) {
    const { queries, points } = args;
    const needed = metric === 'cosine' || metric === 'dot';
    const none = new Float64Array(0);
    this.#norms = { queries: needed ? squaredNorms(queries) : none, points: needed ? squaredNorms(points) : none };
    this.#longest = longestOf(this.#norms.points, points);
  }

  /** By how much a query's keys may be wrong in each direction, twice. */
  margins({ matrices, rows }: BlockDistances, { tiny }: RowsPlan): Float32Array<ArrayBuffer> {
    const { queries } = this.args;
    const margins = new Float32Array(matrices.count * rows.count);
    for (let i = 0; i < margins.length; i++) {
      const row = matrices.first * queries.rows + rows.first + i;
      const length = Math.sqrt(this.#norms.queries[row]) * this.#longest[Math.floor(row / queries.rows)];
      // A product's terms cancel; their sum is at most |x||y|. A float of the sum itself rounds up.
      margins[i] = this.metric === 'dot' ? 4 * distanceError(queries.cols) * length + 2 ** -100 : 4 * tiny;
    }
    return margins;
  }

  *rank(first: number, candidates: Candidates[]): Generator<void> {
    const { queries, points, k, indices, distances } = this.args;
    for (const [i, given] of candidates.entries()) {
      const row = first + i;
      const list = given ?? Array.from({ length: points.rows }, (_, j) => j);
      const keys = new Map<number, number>();
      for (const j of list) if (!(this.args.excludeSelf && j === row % queries.rows)) keys.set(j, this.#key(row, j));
      const order = [...keys].sort(([a, x], [b, y]) => x - y || a - b);
      for (let c = 0; c < k; c++) {
        indices[row * k + c] = order[c][0];
        distances[row * k + c] = this.#distance(order[c][1]);
      }
      yield;
    }
  }

  #key(row: number, j: number): number {
    const { queries, points } = this.args;
    const distance = distanceOf(this.metric === 'euclidean' ? 'sqeuclidean' : this.metric);
    const other = Math.floor(row / queries.rows) * points.rows + j;
    const { cols } = queries;
    const { queries: x, points: y } = this.#norms;
    const value = distance(queries.data, row * cols, points.data, other * cols, cols, x[row], y[other]);
    return this.metric === 'dot' ? -value : value;
  }

  #distance(key: number): number {
    if (this.metric === 'euclidean') return Math.sqrt(key);
    return this.metric === 'dot' ? -key : key;
  }
}

/** The length of each matrix's longest row. */
function longestOf(norms: Float64Array, { rows }: Matrix): Float64Array {
  const longest = new Float64Array(norms.length / rows);
  for (let row = 0; row < norms.length; row++) {
    const matrix = Math.floor(row / rows);
    longest[matrix] = Math.max(longest[matrix], Math.sqrt(norms[row]));
  }
  return longest;
}
