import type { Matrix } from '../matrix.js';
import { squaredEuclidean } from '../reference/distance.js';
import { type NearestCentroidArgs, nearestCentroidReference } from '../reference/nearest-centroid.js';
import { type Block, BlockRows, blocksOf, planRows, type RowsPlan } from './distance-tiles.js';
import { onHost, type WebgpuKernel } from './host.js';
import type { Dispatch, Gpu } from './run.js';
import { threadsOf } from './subgroups.js';
import { bindingsOf, distanceError, each, ROWS, sumCode, type Tile, tileCode, tileFor } from './tile.js';
import type { GpuBuffer, GpuPipeline } from './types.js';

/** Bits of the largest float: no centroid yet. */
export const NONE = 0x7f7fffff;
/** Words per row that the program leaves: bits of the distance, of the second distance, the label, that of the second. */
export const STATE = 4;

/**
 * A workgroup per tile of points goes through all tiles of centroids. Each thread keeps the two nearest of its columns per row; at the
 * end they are merged by (distance, index). With `first` > 0 it goes on from what `state` has of the centroids before. `halt`, where
 * `stop` says so, ends it before it begins (kmeans).
 */
export function nearestProgram(tile: Tile, subgroups: boolean): string {
  const { threads, side } = tile;
  const { head, parameters, begin, number } = threadsOf(subgroups);
  const seen = (i: number, c: number) => `
    if (${c}u + column < p.columns) {
      let v = s${i}[${c}];
      if (v < near${i}.x) { near${i} = vec2f(v, near${i}.x); label${i} = vec2u(p.first + column + ${c}u, label${i}.x); }
      else if (v < near${i}.y) { near${i}.y = v; label${i}.y = p.first + column + ${c}u; }
    }`;
  return `${head}
struct Params { rows: u32, columns: u32, dims: u32, first: u32, stop: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> state: array<vec4u>;
@group(0) @binding(2) var<storage, read> halt: array<u32>;
${bindingsOf(tile, 3)}
${tileCode(tile)}
var<workgroup> found: array<vec4u, ${threads * threads}>;
fn before(a: vec2u, b: vec2u) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }
fn merged(a: vec4u, b: vec4u) -> vec4u {
  // Bits of floats >= 0 are ordered as they are. x, z: the nearest; y, w: the second.
  let swap = before(b.xz, a.xz);
  let best = select(a, b, swap);
  let other = select(b, a, swap);
  let second = select(best.yw, other.xz, before(other.xz, best.yw));
  return vec4u(best.x, second.x, best.z, second.y);
}
@compute @workgroup_size(${threads * threads})
fn main(@builtin(workgroup_id) group: vec3u, ${parameters}) {
  ${begin}
  let local = ${number};
  let lid = vec2u(local % ${threads}u, local / ${threads}u);
  if (p.stop == 1u && halt[0] != 0u) { return; }
  let dims = p.dims;
  let row = group.x * ${side}u;
  let a_first = group.y * p.rows + row;
  let a_end = (group.y + 1u) * p.rows;
  let b_end = (group.y + 1u) * p.columns;
  ${each(ROWS, (i) => `var near${i} = vec2f(bitcast<f32>(${NONE}u)); var label${i} = vec2u(0xffffffffu);`)}
  for (var tile = 0u; tile < p.columns; tile += ${side}u) {
    let b_first = group.y * p.columns + tile;
    ${sumCode(tile)}
    let column = tile + lid.x * 4u;
    ${each(ROWS, (i) => each([0, 1, 2, 3], (c) => seen(i, c)))}
  }
  // Threads of a row, side by side, of which one has their nearest.
  let reach = ${subgroups ? `min(own_lanes, ${threads}u)` : '1u'};
  ${each(
    ROWS,
    (i) => `
  var best${i} = vec4u(bitcast<vec2u>(near${i}), label${i});
  ${subgroups ? shuffled(i) : ''}
  workgroupBarrier();
  if (lid.x % reach == 0u) { found[local] = best${i}; }
  workgroupBarrier();
  if (lid.x == 0u && row + lid.y * 4u + ${i}u < p.rows) {
    let at = a_first + lid.y * 4u + ${i}u;
    var best = best${i};
    for (var t = reach; t < ${threads}u; t += reach) { best = merged(best, found[local + t]); }
    if (p.first > 0u) { best = merged(state[at], best); }
    state[at] = best;
  }`,
  )}
}`;
}

/** Bits are the same in any order: of equal distances the lower index is the nearer. */
const shuffled = (i: number) =>
  `for (var by = 1u; by < reach; by *= 2u) { best${i} = merged(best${i}, subgroupShuffleXor(best${i}, by)); }`;

/** Reads the state of rows; says which labels float32 could not tell. */
export function isDoubtful(best: number, second: number, { tiny, zeroIsExact }: RowsPlan, error: number): boolean {
  // What is 0 for certain is the nearest, unless another is, too.
  if (best < tiny && !(best === 0 && zeroIsExact && second > 0)) return true;
  return second !== Number.POSITIVE_INFINITY && (second - best <= 2 * error * second || second < tiny);
}

/** The two nearest of a row in double: the label is the lowest of the nearest. `near` are two centroids known to be near. */
export function nearestExactly(points: Matrix, row: number, centroids: Matrix, first: number, near: number[]) {
  const { data, cols } = points;
  const of = (j: number) => squaredEuclidean(data, row * cols, centroids.data, (first + j) * cols, cols, 0, 0);
  // The second nearest is no farther than the farther of any two.
  const limit = near.length < 2 ? Number.POSITIVE_INFINITY : near.reduce((most, j) => Math.max(most, of(j)), 0);
  const found = { label: 0, best: Number.POSITIVE_INFINITY, second: Number.POSITIVE_INFINITY };
  for (let j = 0; j < centroids.rows; j++) {
    const distance = boundedDistance(data, row * cols, centroids.data, (first + j) * cols, cols, limit);
    if (distance < found.best) Object.assign(found, { label: j, best: distance, second: found.best });
    else if (distance < found.second) found.second = distance;
  }
  return found;
}

/** As squaredEuclidean, but Infinity as soon as it is certain to exceed `limit`: sums of squares only grow. */
function boundedDistance(x: Float32Array, i: number, y: Float32Array, j: number, d: number, limit: number): number {
  let sum = 0;
  for (let k = 0; k < d; k++) {
    const t = x[i + k] - y[j + k];
    sum += t * t;
    if (sum > limit) return Number.POSITIVE_INFINITY;
  }
  return sum;
}

/** The dispatch for one block of points and centroids. */
export function nearestDispatch(
  pipeline: GpuPipeline,
  { matrices, rows, columns }: Block,
  plan: RowsPlan,
  tile: Tile,
  buffers: { state: GpuBuffer; halt: GpuBuffer; a: GpuBuffer[]; b: GpuBuffer[] },
  stop = false,
): Dispatch {
  return {
    pipeline,
    words: [rows.count, columns.count, plan.quads, columns.first, stop ? 1 : 0],
    buffers: [buffers.state, buffers.halt, ...buffers.a, ...buffers.b],
    groups: [Math.ceil(rows.count / tile.side), matrices.count],
  };
}

/** label = argmin_j |x - c_j|²; rows that float32 cannot tell are decided in double. */
export const nearestCentroid: WebgpuKernel<NearestCentroidArgs> = async (args, gpu) => {
  const { points, centroids } = args;
  const plan = planRows({ points, centroids }, 'sqeuclidean', args.checkFinite ?? true);
  if (!plan) return onHost(nearestCentroidReference(args), gpu);
  const tile = tileFor('difference', gpu.limits, args.labels.length, centroids.rows);
  const pipeline = await gpu.pipeline(nearestProgram(tile, gpu.limits.subgroups));
  const uploaded = new BlockRows(gpu, points, centroids, plan);
  const halt = gpu.buffer(4);
  let state: GpuBuffer | undefined;
  for (const block of blocksOf(points, centroids, plan, gpu.limits, tile.side, STATE)) {
    const size = block.matrices.count * block.rows.count;
    state ??= gpu.buffer(4 * STATE * size);
    gpu.run([nearestDispatch(pipeline, block, plan, tile, { state, halt, ...uploaded.of(block) })]);
    if (block.columns.first + block.columns.count < centroids.rows) continue;
    const words = new Uint32Array(STATE * size);
    await gpu.read([state, words]);
    gpu.free(state);
    state = undefined;
    await settle(args, block.matrices.first * points.rows + block.rows.first, words, plan, gpu);
  }
};

async function settle(
  args: NearestCentroidArgs,
  first: number,
  words: Uint32Array<ArrayBuffer>,
  plan: RowsPlan,
  gpu: Gpu,
) {
  const { points, centroids, labels, distances, secondDistances } = args;
  const floats = new Float32Array(words.buffer);
  const error = distanceError(points.cols);
  const back = 1 / plan.scale;
  await onHost(
    (function* () {
      for (let i = 0; i < words.length / STATE; i++) {
        const [best, row] = [floats[i * STATE], first + i];
        const second = centroids.rows > 1 ? floats[i * STATE + 1] : Number.POSITIVE_INFINITY;
        labels[row] = words[i * STATE + 2];
        distances[row] = best * back * back;
        secondDistances[row] = second * back * back;
        if (!isDoubtful(best, second, plan, error)) continue;
        const matrix = Math.floor(row / points.rows) * centroids.rows;
        const near = centroids.rows > 1 ? [...words.subarray(i * STATE + 2, (i + 1) * STATE)] : [];
        const exact = nearestExactly(points, row, centroids, matrix, near);
        labels[row] = exact.label;
        distances[row] = exact.best;
        secondDistances[row] = exact.second;
        yield;
      }
    })(),
    gpu,
  );
}
