import { type RandomStream, randomStream } from '../../src/random.js';

/** Random choices, the same for the same seed and path. */
export interface Draw extends RandomStream {
  /** An integer in [low, high]. */
  between(low: number, high: number): number;
  /** True with probability `share`. */
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  floats(length: number): Float32Array;
  /** Integers in [0, below). */
  integers(length: number, below: number): Int32Array;
  /** The options where `chance(share)`, else none; to be spread. */
  maybe<T extends object>(share: number, options: () => T): Partial<T>;
}

export function drawFrom(seed: number, ...path: (string | number)[]): Draw {
  const stream = randomStream(seed, ...path);
  const chance = (share: number) => stream.uniform() < share;
  return {
    ...stream,
    chance,
    between: (low, high) => low + stream.integer(high - low + 1),
    pick: (list) => list[stream.integer(list.length)],
    floats: (length) => Float32Array.from({ length }, () => stream.uniform() * 4 - 2),
    integers: (length, below) => Int32Array.from({ length }, () => stream.integer(below)),
    maybe: (share, options) => (chance(share) ? options() : {}),
  };
}
