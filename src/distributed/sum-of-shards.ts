import type { SyncGroup } from './group.js';
import { type RowRange as Range, slice } from './shards.js';
import { halves, subtrees, within } from './tree.js';

/** Values that are sent at once: 32 MiB. */
const BUCKET = 2 ** 23;

/** The shards of one rank, of `shards` that the group has. */
export function shardsOfRank(shards: number, { rank, size }: Pick<SyncGroup, 'rank' | 'size'>): Range {
  return slice(shards, rank, size);
}

/** The rows of the shards from `begin` to before `end`, where `rows` rows are cut into `shards`; with fewer rows some have none. */
export function rowsOfShards(rows: number, { begin, end }: Range, shards: number): Range {
  return { begin: slice(rows, begin, shards).begin, end: slice(rows, end, shards).begin };
}

/**
 * The sum over all shards of the vectors that `of` gives for those of this rank: in float32, as a binary tree that the number of shards
 * alone determines, so that it has the same bits on every rank, for any number of ranks. What `of` gives is written to.
 */
export function sumOfShards(group: SyncGroup, shards: number, of: (shard: number) => Float32Array): Float32Array {
  const whole = { begin: 0, end: shards };
  const ranks = Array.from({ length: group.size }, (_, rank) => shardsOfRank(shards, { rank, size: group.size }));
  const own = subtrees(whole, (node) => within(node, ranks[group.rank]));
  const sums = own.map((node) => add(node, ({ begin, end }) => (end - begin === 1 ? of(begin) : undefined)));
  if (group.size === 1) return sums[0];
  const [total] = sums;
  for (let begin = 0; begin < total.length; begin += BUCKET) {
    const parts = sums.map((sum) => sum.subarray(begin, begin + BUCKET));
    total.set(areRanks(shards, group) ? group.allReduceNow(parts[0], { order: 'tree' }) : above(parts), begin);
  }
  return total;

  /** The sum of what all ranks' subtrees come to. */
  function above(parts: readonly Float32Array[]): Float32Array {
    const [{ length }] = parts;
    const joined = new Float32Array(parts.length * length);
    for (const [i, part] of parts.entries()) joined.set(part, i * length);
    const told = group.allGatherNow(joined).flatMap((all) => cut(all, length));
    const isOwned = (node: Range) => ranks.some((rank) => within(node, rank));
    return add(whole, (node) => (isOwned(node) ? told.shift() : undefined));
  }
}

/** Whether each rank has one subtree, and their tree is that of ranks. */
function areRanks(shards: number, { size }: SyncGroup): boolean {
  const each = shards / size;
  return Number.isInteger(Math.log2(each));
}

/** The sum at a node: as `known` has it, else of its halves. */
function add(node: Range, known: (node: Range) => Float32Array | undefined): Float32Array {
  const there = known(node);
  if (there) return there;
  const [sum, other] = halves(node).map((half) => add(half, known));
  for (let i = 0; i < sum.length; i++) sum[i] += other[i];
  return sum;
}

function cut(all: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: all.length / length }, (_, i) => all.subarray(i * length, (i + 1) * length));
}
