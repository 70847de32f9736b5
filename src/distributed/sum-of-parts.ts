import { joined } from '../joined.js';
import type { Group } from './group.js';
import { partsOf, partsOfRank, type RowRange as Range } from './shards.js';
import { halves, subtrees, within } from './tree.js';

/**
 * The sum over all parts of the vectors that `of` gives for parts of this rank; the same bits for any number of ranks. Parts are the leaves of
 * a binary tree that `rows` alone determines. Each rank adds up the largest subtrees that it has all of, and what is left above is added
 * by every rank: as many vectors are sent as there are such subtrees, one a rank where ranks are a power of two.
 */
export async function sumOfParts(
  group: Group,
  rows: number,
  of: (part: number) => Promise<Float64Array> | Float64Array,
): Promise<Float64Array> {
  const parts = partsOf(rows);
  const ranks = Array.from({ length: group.size }, (_, rank) => partsOfRank(rows, { rank, size: group.size }));
  const whole = { begin: 0, end: parts };
  const own = subtrees(whole, (node) => within(node, ranks[group.rank]));
  const sums: Float64Array[] = [];
  for (const node of own) sums.push(await add(node, ({ begin, end }) => (end - begin === 1 ? of(begin) : undefined)));
  if (group.size === 1) return sums[0];
  const { length } = sums[0];
  const told = (await group.allGather(joined(sums))).flatMap((all) => vectorsIn(all, length));
  const isOwned = (node: Range) => ranks.some((rank) => within(node, rank));
  return add(whole, (node) => (isOwned(node) ? told.shift() : undefined));
}

/** The sum at a node: as `known` has it, else of its halves. */
async function add(
  node: Range,
  known: (node: Range) => Promise<Float64Array> | Float64Array | undefined,
): Promise<Float64Array> {
  const there = await known(node);
  if (there) return there;
  const [left, right] = halves(node);
  const sum = await add(left, known);
  const other = await add(right, known);
  for (let i = 0; i < sum.length; i++) sum[i] += other[i];
  return sum;
}

function vectorsIn(all: Float64Array, length: number): Float64Array[] {
  return Array.from({ length: all.length / length }, (_, i) => all.subarray(i * length, (i + 1) * length));
}
