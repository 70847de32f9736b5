import { type DeviceMatrix, type KernelOptions, type Matrix, uploadMatrix } from '../kernels/index.js';
import { checkFinite, readMatrix } from '../kernels/matrix.js';
import { distributedError, type Group } from './group.js';
import { partsOf, partsOfRank, rowsOfPart, shardOf } from './shards.js';
import { together } from './together.js';

/** One part of the points, on this rank: rows from `first` to before `last` of this rank's. */
export interface Part {
  /** Number of the part among all. */
  number: number;
  first: number;
  last: number;
}

/** The rows of all ranks, of which each has its parts. */
export interface ShardedPoints {
  group: Group;
  /** Of all ranks together. */
  rows: number;
  cols: number;
  /** Number of this rank's first row among all. */
  begin: number;
  /** A private copy of this rank's rows; its device does what is done row by row, on all of them at once. */
  own: DeviceMatrix;
  parts: Part[];
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
 * A private copy of this rank's rows, as kernels take them. Throws on every rank where one of them has other rows than shardOf deals out,
 * other columns, or values that are not finite.
 */
export async function shardPoints(group: Group, given: Matrix, { device }: KernelOptions): Promise<ShardedPoints> {
  const read = await together(group, () => readMatrix('points', given));
  const shapes = await group.allGather(Float64Array.of(read.rows, read.cols));
  const rows = shapes.reduce((sum, [of]) => sum + of, 0);
  for (const [rank, [have, cols]] of shapes.entries()) {
    const { begin, end } = shardOf(rows, { rank, size: group.size });
    if (have === end - begin && cols === shapes[0][1]) continue;
    throw distributedError(
      `Expected ${end - begin} of all ${rows} rows and ${shapes[0][1]} columns on rank ${rank} but received ${have} and ${cols}.`,
      'shardOf(rows, group) says which rows are a rank’s.',
    );
  }
  const own = await together(group, () => {
    checkFinite('points', read);
    return uploadMatrix(read, { device, checkFinite: false });
  });
  const { begin } = shardOf(rows, group);
  return { group, rows, cols: own.cols, begin, own, parts: partsFrom(begin, rows, group) };
}

function partsFrom(begin: number, rows: number, group: Group): Part[] {
  const parts = partsOfRank(rows, group);
  return Array.from({ length: parts.end - parts.begin }, (_, i) => {
    const of = rowsOfPart(parts.begin + i, rows);
    return { number: parts.begin + i, first: of.begin - begin, last: of.end - begin };
  });
}

/** The part of that number, where it is this rank's. */
export function partOf({ parts }: ShardedPoints, number: number): Part | undefined {
  return parts[number - parts[0].number];
}

/** The values of one part, without a copy. */
export function valuesOf({ own, cols }: ShardedPoints, { first, last }: Part): Float32Array {
  return own.data.subarray(first * cols, last * cols);
}

/** A copy of one of this rank's rows. */
export function rowAt({ own, cols }: ShardedPoints, row: number): Float32Array {
  return own.data.slice(row * cols, (row + 1) * cols);
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
