import { type DeviceMatrix, type KernelOptions, type Matrix, uploadMatrix } from '../kernels/index.js';
import { checkFinite, readMatrix } from '../kernels/matrix.js';
import { distributedError, type Group } from './group.js';
import { partsOf, partsOfRank, rowsOfPart, shardOf } from './shards.js';
import { together } from './together.js';

/** One part of the points, on this rank. */
export interface Part {
  /** Number of the part among all. */
  number: number;
  /** Its first row among all. */
  begin: number;
  points: DeviceMatrix;
}

/** The rows of all ranks, of which each has its parts. */
export interface ShardedPoints {
  group: Group;
  /** Of all ranks together. */
  rows: number;
  cols: number;
  /** This rank's. */
  parts: Part[];
  dispose(): void;
}

/** The rank that has a part. */
export function ownerOf({ group: { size }, rows }: ShardedPoints, part: number): number {
  for (let rank = 0; ; rank++) if (part < partsOfRank(rows, { rank, size }).end) return rank;
}

/** The part that a row is in. */
export function partOfRow({ rows }: ShardedPoints, row: number): number {
  let part = Math.floor((row * partsOf(rows)) / rows);
  while (rowsOfPart(part, rows).end <= row) part++;
  return part;
}

/**
 * Private copies of this rank's rows, part by part, as kernels take them. Throws on every rank where one of them has other rows than
 * shardOf deals out, other columns, or values that are not finite.
 */
export async function shardPoints(group: Group, given: Matrix, options: KernelOptions): Promise<ShardedPoints> {
  const own = await together(group, () => readMatrix('points', given));
  const shapes = await group.allGather(Float64Array.of(own.rows, own.cols));
  const rows = shapes.reduce((sum, [of]) => sum + of, 0);
  for (const [rank, [have, cols]] of shapes.entries()) {
    const { begin, end } = shardOf(rows, { rank, size: group.size });
    if (have === end - begin && cols === own.cols && cols === shapes[0][1]) continue;
    throw distributedError(
      `Expected ${end - begin} of all ${rows} rows and ${shapes[0][1]} columns on rank ${rank} but received ${have} and ${cols}.`,
      'shardOf(rows, group) says which rows are a rank’s.',
    );
  }
  const parts = await together(group, () => upload(group, own, rows, options));
  return { group, rows, cols: own.cols, parts, dispose: () => parts.forEach(({ points }) => void points.dispose()) };
}

function upload(group: Group, { data, cols }: Matrix, rows: number, { device }: KernelOptions): Part[] {
  const { begin, end } = partsOfRank(rows, group);
  const first = rowsOfPart(begin, rows).begin;
  checkFinite('points', { data, rows: data.length / cols, cols });
  return Array.from({ length: end - begin }, (_, i) => {
    const of = rowsOfPart(begin + i, rows);
    const values = data.subarray((of.begin - first) * cols, (of.end - first) * cols);
    const points = uploadMatrix({ data: values, rows: of.end - of.begin, cols }, { device, checkFinite: false });
    return { number: begin + i, begin: of.begin, points };
  });
}

/** A copy of one row of a part; `row` is counted in the part. */
export function rowIn({ points: { data, cols } }: Part, row: number): Float32Array {
  return data.slice(row * cols, (row + 1) * cols);
}

/**
 * Rows that ranks have, in the order of `owners`, one after the other on every rank; `own` are this rank's among them, in that order.
 */
export async function gatherRows(
  { group, cols }: ShardedPoints,
  owners: readonly number[],
  own: readonly Float32Array[],
): Promise<Float32Array> {
  const mine = new Float32Array(own.length * cols);
  own.forEach((row, i) => {
    mine.set(row, i * cols);
  });
  const told = await group.allGather(mine);
  const taken = told.map(() => 0);
  const rows = new Float32Array(owners.length * cols);
  owners.forEach((rank, i) => {
    const at = taken[rank]++ * cols;
    rows.set(told[rank].subarray(at, at + cols), i * cols);
  });
  return rows;
}
