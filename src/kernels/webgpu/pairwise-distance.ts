import { batchOf, type Matrix, METRICS } from '../matrix.js';
import { distanceOf, squaredNorms } from '../reference/distance.js';
import { type PairwiseDistanceArgs, pairwiseDistanceReference } from '../reference/pairwise-distance.js';
import { type Block, BlockRows, blocksOf, planRows, type RowsPlan } from './distance-tiles.js';
import { onHost, type WebgpuKernel } from './host.js';
import { floatBits, type Gpu } from './run.js';
import { bindingsOf, each, ROWS, sumCode, type Tile, tileCode, tileFor } from './tile.js';
import type { GpuBuffer } from './types.js';

/**
 * A workgroup per tile of the matrix. `flags[0]` says that some result may have lost what float32 cannot hold: the host then looks.
 * With `wide` a row has whole vectors. `end`: 0 the sum, 1 its root, 2 half of it.
 */
function program(tile: Tile, wide: boolean): string {
  const { threads, side } = tile;
  const stores = each(ROWS, (i) => `put(row + lid.y * 4u + ${i}u, column + lid.x * 4u, s${i});`);
  const store = wide
    ? 'out[at / 4u] = v;'
    : 'for (var c = 0u; c < min(4u, p.columns - column); c++) { out[at + c] = v[c]; }';
  return `
struct Params { rows: u32, columns: u32, dims: u32, end: u32, tiny: f32, zero_is_exact: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<${wide ? 'vec4f' : 'f32'}>;
@group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;
${bindingsOf(tile, 3)}
${tileCode(tile)}
var<private> matrix: u32;
fn put(row: u32, column: u32, sum: vec4f) {
  if (row >= p.rows || column >= p.columns) { return; }
  var v = sum;
  for (var c = 0u; c < min(4u, p.columns - column); c++) {
    if (v[c] < p.tiny && (v[c] > 0.0 || p.zero_is_exact == 0u)) { atomicOr(&flags[0], 1u); }
  }
  if (p.end == 1u) { v = sqrt(v); }
  if (p.end == 2u) { v = 0.5 * v; }
  let at = (matrix * p.rows + row) * p.columns + column;
  ${store}
}
@compute @workgroup_size(${threads}, ${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lid: vec3u, @builtin(local_invocation_index) local: u32) {
  matrix = group.z;
  let dims = p.dims;
  let row = group.y * ${side}u;
  let column = group.x * ${side}u;
  let a_first = matrix * p.rows + row;
  let a_end = (matrix + 1u) * p.rows;
  let b_first = matrix * p.columns + column;
  let b_end = (matrix + 1u) * p.columns;
  ${sumCode(tile)}
  ${stores}
}`;
}

/** The distances of a block, in a buffer of the device that the caller frees, and whether some are doubtful. */
export interface BlockDistances extends Block {
  out: GpuBuffer;
  flags: GpuBuffer;
}

/** Block by block; euclidean ones are squared unless `root`. */
export async function* distanceBlocks(
  gpu: Gpu,
  a: Matrix,
  b: Matrix,
  plan: RowsPlan,
  root: boolean,
): AsyncGenerator<BlockDistances> {
  const tile = tileFor(plan.term, gpu.limits, batchOf(a) * a.rows, b.rows);
  const uploaded = new BlockRows(gpu, a, b, plan);
  const end = plan.metric === 'cosine' ? 2 : root && plan.metric === 'euclidean' && plan.scale === 1 ? 1 : 0;
  for (const block of blocksOf(a, b, plan, gpu.limits, tile.side)) {
    const [matrices, rows, columns] = [block.matrices.count, block.rows.count, block.columns.count];
    const pipeline = await gpu.pipeline(program(tile, columns % 4 === 0));
    const on = uploaded.of(block);
    const [out, flags] = [gpu.buffer(4 * matrices * rows * columns), gpu.buffer(4)];
    gpu.run([
      {
        pipeline,
        words: [rows, columns, plan.quads, end, floatBits(plan.tiny), plan.zeroIsExact ? 1 : 0],
        buffers: [out, flags, ...on.a, ...on.b],
        groups: [Math.ceil(columns / tile.side), Math.ceil(rows / tile.side), matrices],
      },
    ]);
    yield { ...block, out, flags };
  }
}

/** out[b,i,j] = metric(a[b,i], b[b,j]); what float32 cannot hold is summed again in double. */
export const pairwiseDistance: WebgpuKernel<PairwiseDistanceArgs> = async (args, gpu) => {
  const { a, b, out } = args;
  const plan = planRows({ a, b }, METRICS[args.metric], args.checkFinite ?? true);
  if (!plan) return onHost(pairwiseDistanceReference(args), gpu);
  const settle = settler(args, plan);
  for await (const block of distanceBlocks(gpu, a, b, plan, true)) {
    const { matrices, rows, columns } = block;
    const [first, count] = [matrices.first * a.rows + rows.first, matrices.count * rows.count];
    const flags = new Uint32Array(1);
    // Whole rows follow each other in the result.
    const whole = columns.count === b.rows;
    const values = whole ? rowsIn(out, first, count, b.rows) : new Float32Array(count * columns.count);
    await gpu.read([block.out, values], [block.flags, flags]);
    gpu.free(block.out, block.flags);
    for (let i = 0; i < count; i++) {
      const own = values.subarray(i * columns.count, (i + 1) * columns.count);
      if (!whole) out.set(own, (first + i) * b.rows + columns.first);
      if (flags[0] !== 0 || plan.scale !== 1) settle(first + i, columns.first, columns.count);
    }
  }
};

const rowsIn = (out: Float32Array, first: number, count: number, cols: number) =>
  out.subarray(first * cols, (first + count) * cols) as Float32Array<ArrayBuffer>;

/** Brings a row's results back to their scale; those that are too small for float32's sums are summed in double. */
function settler({ a, b, out }: PairwiseDistanceArgs, { metric, scale, tiny, zeroIsExact }: RowsPlan) {
  const distance = distanceOf(metric);
  const [normsA, normsB] = metric === 'cosine' ? [squaredNorms(a), squaredNorms(b)] : [[], []];
  const rooted = metric === 'euclidean' && scale === 1;
  const least = metric === 'cosine' ? tiny / 2 : rooted ? Math.sqrt(tiny) : tiny;
  return (row: number, first: number, count: number) => {
    for (let j = first; j < first + count; j++) {
      const at = row * b.rows + j;
      const value = out[at];
      if (value < least && !(value === 0 && zeroIsExact)) {
        const other = Math.floor(row / a.rows) * b.rows + j;
        out[at] = distance(a.data, row * a.cols, b.data, other * a.cols, a.cols, normsA[row], normsB[other]);
      } else if (scale !== 1) {
        out[at] = metric === 'euclidean' ? Math.sqrt(value) / scale : value / scale / scale;
      }
    }
  };
}
