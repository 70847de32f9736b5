/** Which rows and columns of a matrix of distances the device gets at a time, and their rows in its memory. */
import { batchOf, type Matrix, type Metric } from '../matrix.js';
import { residentRows } from './kept-buffers.js';
import {
  hasZeroRow,
  type Magnitudes,
  type Part,
  packRows,
  packUnitRows,
  padded,
  parts,
  scaleFor,
  scan,
  tinySquare,
  zeroIsExact,
} from './rows.js';
import type { Gpu, GpuLimits } from './run.js';
import type { Term } from './tile.js';
import type { GpuBuffer } from './types.js';

/** How rows are given to the device. */
export interface RowsPlan {
  metric: Metric;
  term: Term;
  /** Power of two that values are multiplied with. */
  scale: number;
  /** Sums below it may be wrong, unless they are 0 and `zeroIsExact`. */
  tiny: number;
  zeroIsExact: boolean;
  /** Vectors of four values per row. */
  quads: number;
  /** cosine: some row is zero. */
  withZero: boolean;
}

/** Below this, 1 - cos = |x - y|² / 2 of unit rows has fewer digits than are asked for. */
const TINY_COSINE = 1e-14;

/** Undefined for what only double precision can do: values that are not finite, products of extreme ones. */
export function planRows(matrices: Record<string, Matrix>, metric: Metric, check: boolean): RowsPlan | undefined {
  const found: Magnitudes | undefined = scan(matrices, check);
  if (!found) return undefined;
  const [{ cols }] = Object.values(matrices);
  if (metric === 'cosine') {
    const withZero = Object.values(matrices).some(hasZeroRow);
    const quads = padded(cols) / 4 + (withZero ? 1 : 0);
    return { metric, term: 'unit', scale: 1, tiny: TINY_COSINE, zeroIsExact: false, quads, withZero };
  }
  const scale = scaleFor(found);
  const plan = { metric, scale, quads: padded(cols) / 4, withZero: false };
  if (metric === 'dot') return scale === 1 ? { ...plan, term: 'product', tiny: -1, zeroIsExact: true } : undefined;
  return { ...plan, term: 'difference', tiny: tinySquare(cols), zeroIsExact: zeroIsExact(found, scale) };
}

/** Rows of a plan on the device: one buffer, or two halves. `first` counts through all batches. */
export function uploadRows(gpu: Gpu, matrix: Matrix, { first, count }: Part, plan: RowsPlan, side: 0 | 1): GpuBuffer[] {
  const key = [plan.term === 'unit', plan.scale, plan.withZero && side, plan.quads, first, count].join();
  return residentRows(gpu, matrix, key, () => {
    if (plan.term !== 'unit') return [gpu.buffer(packRows(matrix, first, count, plan.scale))];
    const { high, low } = packUnitRows(matrix, first, count, plan.withZero, side);
    return [gpu.buffer(high), gpu.buffer(low)];
  });
}

/** Some matrices of the batch, and of each some rows and columns. */
export interface Block {
  matrices: Part;
  rows: Part;
  columns: Part;
}

/** Bytes of results that are on the device at once. */
const MOST_BYTES = 2 ** 26;

/**
 * Whole matrices together where they are small; else parts of one. There are `words` of results per row, or one per pair. A row's columns
 * may be cut, too; its parts follow each other.
 */
export function* blocksOf(
  a: Matrix,
  b: Matrix,
  { quads }: RowsPlan,
  limits: GpuLimits,
  side: number,
  words?: number,
): Generator<Block> {
  const [n, m] = [a.rows, b.rows];
  const fitting = Math.floor(limits.binding / (16 * quads));
  const results = Math.min(limits.binding, MOST_BYTES) / 4;
  const grid = limits.workgroups * side;
  const perRow = (columns: number) => words ?? columns;
  const inMemory = Math.min(fitting / n, fitting / m, results / (n * perRow(m)));
  const together = Math.min(inMemory, limits.operations / (4 * n * m * quads), limits.workgroups);
  if (together >= 1 && n <= grid && m <= grid) {
    for (const matrices of parts(batchOf(a), together)) yield { matrices, rows: whole(n), columns: whole(m) };
    return;
  }
  const columns = parts(m, Math.min(fitting, words ? fitting : results, grid));
  const { count } = columns[0];
  const least = Math.min(side, fitting, results / perRow(count));
  const most = Math.min(fitting, results / perRow(count), grid, limits.operations / (4 * count * quads));
  for (const matrices of parts(batchOf(a), 1)) {
    for (const rows of parts(n, Math.max(least, most))) {
      for (const part of columns) yield { matrices, rows, columns: part };
    }
  }
}

const whole = (count: number): Part => ({ first: 0, count });

/** The rows of blocks that follow each other, uploaded once: those of `b` stay, those of `a` while they are the same. */
export class BlockRows {
  readonly #known = new Map<number, GpuBuffer[]>();
  #last = { first: -1, buffers: [] as GpuBuffer[] };

  constructor(
    readonly gpu: Gpu,
    readonly a: Matrix,
    readonly b: Matrix,
    readonly plan: RowsPlan,
  ) {}

  of({ matrices, rows, columns }: Block): { a: GpuBuffer[]; b: GpuBuffer[] } {
    const { gpu, a, b, plan } = this;
    const first = matrices.first * a.rows + rows.first;
    if (this.#last.first !== first) {
      gpu.free(...this.#last.buffers);
      this.#last = { first, buffers: uploadRows(gpu, a, { first, count: matrices.count * rows.count }, plan, 0) };
    }
    const bFirst = matrices.first * b.rows + columns.first;
    let known = this.#known.get(bFirst);
    if (!known) {
      // Of another matrix none is asked for again.
      if (columns.first === 0) this.#forget();
      known = uploadRows(gpu, b, { first: bFirst, count: matrices.count * columns.count }, plan, 1);
      this.#known.set(bFirst, known);
    }
    return { a: this.#last.buffers, b: known };
  }

  #forget(): void {
    for (const buffers of this.#known.values()) this.gpu.free(...buffers);
    this.#known.clear();
  }
}
