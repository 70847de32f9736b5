import type { Matrix } from '../matrix.js';
import type { RowsPlan } from './distance-tiles.js';
import {
  countProgram,
  DOUBTFUL,
  judgeCountsProgram,
  judgeLabelsProgram,
  judgeProgram,
  moveProgram,
  patchProgram,
  placeProgram,
  rowGroups,
  scanProgram,
  settleProgram,
} from './kmeans-programs.js';
import { type Fixed, sumGroups, sumProgram } from './label-sums.js';
import { nearestDispatch, nearestProgram, STATE } from './nearest-centroid.js';
import { type Part, packRows, parts } from './rows.js';
import { type Dispatch, floatBits, type Gpu } from './run.js';
import { distanceError, type Tile } from './tile.js';
import type { GpuBuffer, GpuPipeline } from './types.js';

/** Rows that are bound at once, and what belongs to them. */
export interface Chunk extends Part {
  points: GpuBuffer;
  state: GpuBuffer;
  labels: GpuBuffer;
  doubtful: GpuBuffer;
  order: GpuBuffer;
}

const NAMES = [
  'nearest',
  'settle',
  'judgeLabels',
  'count',
  'scan',
  'judgeCounts',
  'place',
  'sum',
  'move',
  'judge',
  'patch',
] as const;
type Name = (typeof NAMES)[number];

/** What k-means keeps on the device, for one matrix after the other, and the dispatches of an iteration. */
export class KMeansDevice {
  readonly chunks: Chunk[];
  readonly status: GpuBuffer;
  readonly centroids: GpuBuffer;
  readonly #bins: GpuBuffer;
  readonly #next: GpuBuffer;
  readonly #counts: GpuBuffer;
  readonly #sums: GpuBuffer;

  private constructor(
    readonly gpu: Gpu,
    readonly k: number,
    readonly plan: RowsPlan,
    readonly tile: Tile,
    readonly fixed: Fixed,
    readonly cols: number,
    rows: number,
    readonly programs: Record<Name, GpuPipeline>,
  ) {
    const { binding, workgroups, operations } = gpu.limits;
    const wide = 4 * plan.quads;
    const fitting = Math.min(binding / (4 * wide), binding / (4 * STATE), workgroups * tile.side, workgroups * 64);
    const most = Math.min(fitting, Math.max(1024, rows / 4096, operations / (k * wide)));
    const empty = (count: number) => ({
      ...{ points: gpu.buffer(4 * wide * count), state: gpu.buffer(4 * STATE * count) },
      ...{ labels: gpu.buffer(4 * count), doubtful: gpu.buffer(16 * count), order: gpu.buffer(4 * count) },
    });
    this.chunks = parts(rows, most).map((part) => ({ ...part, ...empty(part.count) }));
    this.status = gpu.buffer(4 * (DOUBTFUL + this.chunks.length));
    this.centroids = gpu.buffer(4 * k * wide);
    this.#sums = gpu.buffer(4 * k * wide * fixed.words);
    [this.#bins, this.#next, this.#counts] = [gpu.buffer(4 * k), gpu.buffer(4 * k), gpu.buffer(4 * k)];
  }

  static async make(
    gpu: Gpu,
    points: Matrix,
    k: number,
    plan: RowsPlan,
    tile: Tile,
    fixed: Fixed,
  ): Promise<KMeansDevice> {
    const wide = 4 * plan.quads;
    const grid = -149 + Math.round(Math.log2(plan.scale));
    const { subgroups } = gpu.limits;
    const codes: Record<Name, string> = {
      ...{
        nearest: nearestProgram(tile, subgroups),
        settle: settleProgram,
        judgeLabels: judgeLabelsProgram,
        count: countProgram,
      },
      ...{ scan: scanProgram(subgroups), judgeCounts: judgeCountsProgram, place: placeProgram, judge: judgeProgram },
      ...{ sum: sumProgram(fixed, wide, false), move: moveProgram(fixed, wide, grid), patch: patchProgram },
    };
    const made = await Promise.all(NAMES.map(async (name) => [name, await gpu.pipeline(codes[name])] as const));
    const programs = Object.fromEntries(made) as Record<Name, GpuPipeline>;
    return new KMeansDevice(gpu, k, plan, tile, fixed, points.cols, points.rows, programs);
  }

  /** The rows of another matrix. */
  load(points: Matrix): void {
    for (const { first, count, points: to } of this.chunks)
      this.gpu.write(to, packRows(points, first, count, this.plan.scale));
  }

  /** The beginning of a problem: no row has a label. */
  start(): void {
    for (const { count, labels } of this.chunks) this.gpu.write(labels, new Uint32Array(count).fill(0xffffffff));
    this.gpu.write(this.status, new Uint32Array(DOUBTFUL + this.chunks.length));
  }

  /** Finds the nearest centroids; takes the labels that are certain. */
  assign(): Dispatch[] {
    const { plan, programs, status, centroids, k } = this;
    const error = floatBits(2 * distanceError(this.cols));
    const settled = [floatBits(plan.tiny), error, plan.zeroIsExact ? 1 : 0];
    const nearest = this.chunks.map(({ count, points, state }) => {
      const [matrices, rows, columns] = [1, count, k].map((size) => ({ first: 0, count: size }));
      const buffers = { state, halt: status, a: [points], b: [centroids] };
      return nearestDispatch(programs.nearest, { matrices, rows, columns }, plan, this.tile, buffers, true);
    });
    const settle = this.chunks.map(({ count, state, labels, doubtful }, i) =>
      this.#perRow('settle', count, [status, state, labels, doubtful], [...settled, DOUBTFUL + i]),
    );
    return [...nearest, ...settle, this.#judge('judgeLabels', [status])];
  }

  /** Moves the centroids, and says whether that was the last iteration. */
  update(most: number): Dispatch[] {
    const { programs, status, centroids, k, plan } = this;
    const wide = 4 * plan.quads;
    const [bins, next, counts, sums] = [this.#bins, this.#next, this.#counts, this.#sums];
    // Of each chunk: places first, since the next one's take their memory; then the sums, unless a cluster is empty.
    const sorted = this.chunks.flatMap(({ count, labels, order }) => [
      this.#perRow('count', count, [status, labels, bins]),
      this.#judge('scan', [status, bins, next, counts]),
      this.#perRow('place', count, [status, labels, next, order]),
    ]);
    const summed = this.chunks.map(({ count, points, labels, order }) => ({
      ...{ pipeline: programs.sum, words: [count, 1], buffers: [sums, status, points, labels, order] },
      groups: sumGroups(count, wide),
    }));
    const move = this.#perRow('move', k * wide, [status, sums, counts, centroids]);
    const check = this.#judge('judgeCounts', [status, counts]);
    return [...sorted, check, ...summed, move, this.#judge('judge', [status, counts], most)];
  }

  /** Puts labels that the host has decided in their places. */
  patch({ labels }: Chunk, decided: Uint32Array<ArrayBuffer>): void {
    const list = this.gpu.buffer(decided);
    this.gpu.run([this.#perRow('patch', decided.length / 2, [list, labels])]);
    this.gpu.free(list);
  }

  /** After the host has moved the centroids itself. */
  clearCounts(): void {
    this.gpu.write(this.#counts, new Uint32Array(this.k));
  }

  #perRow(name: Name, rows: number, buffers: GpuBuffer[], words: number[] = []): Dispatch {
    const { across, groups } = rowGroups(rows, this.gpu.limits.workgroups);
    return { pipeline: this.programs[name], words: [rows, across, ...words], buffers, groups };
  }

  #judge(name: Name, buffers: GpuBuffer[], most = 0): Dispatch {
    return { pipeline: this.programs[name], words: [this.k, most, this.chunks.length], buffers, groups: [1] };
  }
}
