import { deserialize, serialize } from 'node:v8';
import { ALONE, type Part, type Sharing } from '../sharing.js';
import type { Group } from './group.js';
import { slice } from './shards.js';
import { checkSame, together } from './together.js';

const NOTHING = new Uint8Array(0);

/**
 * The ranks of a group as those who share work: each does its part of the pieces, in the order of ranks, and is told what came of all. A rank for which
 * there is no piece does nothing. What one rank fails on ends the call on every rank with one and the same error.
 */
export function sharingAmong(group: Group): Sharing {
  if (group.size === 1) return ALONE;
  const ownPart = async <T>(what: string, pieces: number, part: Part<T>): Promise<{ result: T } | undefined> => {
    await checkSame(group, 'work', `${what}, ${pieces} pieces`);
    const { begin, end } = slice(pieces, group.rank, group.size);
    return together(group, async () => (begin < end ? { result: await part(begin, end) } : undefined));
  };
  return {
    async parts<T>(what: string, pieces: number, part: Part<T>) {
      const own = await ownPart(what, pieces, part);
      const told = await group.allGather(own ? bytesOf(own.result) : NOTHING);
      return told.filter(({ length }) => length > 0).map((bytes) => deserialize(bytes) as T);
    },
    async least<T>(what: string, pieces: number, part: Part<T>, value: (result: T) => number) {
      const own = await ownPart(what, pieces, part);
      const values = await group.allGather(own ? Float64Array.of(value(own.result)) : new Float64Array(0));
      const owner = firstLeast(values);
      const told = await group.allGather(own && group.rank === owner ? bytesOf(own.result) : NOTHING);
      return deserialize(told[owner]) as T;
    },
  };
}

const bytesOf = (result: unknown): Uint8Array => new Uint8Array(serialize(result));

/** The first rank of the least value, of those that have one. */
function firstLeast(values: readonly Float64Array[]): number {
  const having = [...values.keys()].filter((rank) => values[rank].length > 0);
  return having.reduce((least, rank) => (values[rank][0] < values[least][0] ? rank : least));
}
