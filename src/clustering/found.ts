import { joined } from '../joined.js';
import type { Retrieval } from './retrieval-scores.js';

/** What became of each query. */
export interface Found {
  /** 1 for those that count: at least one candidate is relevant. */
  counted: Uint8Array;
  /** Rank from 0 of the first relevant candidate; {@link NEVER} where it is past all that were looked at. */
  first: Int32Array;
  /** `(1/R) sum_{i <= R} precision@i [i-th is relevant]` */
  averagePrecision: Float64Array;
  /** Share of relevant ones among the R nearest. */
  rPrecision: Float64Array;
}

const NEVER = 2 ** 31 - 1;

export function nothingFound(queries: number): Found {
  return {
    counted: new Uint8Array(queries),
    first: new Int32Array(queries).fill(NEVER),
    averagePrecision: new Float64Array(queries),
    rPrecision: new Float64Array(queries),
  };
}

/** Of queries one after the other. */
export function joinedFound(parts: readonly Found[]): Found {
  return {
    counted: joined(parts.map((found) => found.counted)),
    first: joined(parts.map((found) => found.first)),
    averagePrecision: joined(parts.map((found) => found.averagePrecision)),
    rPrecision: joined(parts.map((found) => found.rPrecision)),
  };
}

/** `hits`: ranks (from 0, ascending) of the relevant candidates of query `q`; `relevant`: how many there are in all. */
export function note(found: Found, q: number, hits: number[], relevant: number): void {
  let precisions = 0;
  let among = 0;
  while (among < hits.length && hits[among] < relevant) {
    precisions += (among + 1) / (hits[among] + 1);
    among++;
  }
  found.counted[q] = 1;
  found.first[q] = hits[0] ?? NEVER;
  found.averagePrecision[q] = precisions / relevant;
  found.rPrecision[q] = among / relevant;
}

/** The means over the queries that count. */
export function retrievalOf(found: Found, recallAt: readonly number[]): Retrieval {
  const counted = [...found.counted.keys()].filter((q) => found.counted[q] === 1);
  const mean = (value: (q: number) => number) => counted.reduce((sum, q) => sum + value(q), 0) / counted.length;
  const recall = (k: number) => mean((q) => (found.first[q] < k ? 1 : 0));
  return {
    scores: {
      recallAt: Object.fromEntries(recallAt.map((k) => [k, recall(k)])),
      mapAtR: mean((q) => found.averagePrecision[q]),
      rPrecision: mean((q) => found.rPrecision[q]),
      precisionAt1: recall(1),
      queries: counted.length,
    },
    nearestIsOwnClass: Uint8Array.from(found.first, (rank) => (rank === 0 ? 1 : 0)),
    found,
  };
}

/** For every query and measure the worst of several searches of the same queries. */
export function worstFound(list: readonly Found[]): Found {
  const worst = nothingFound(list[0].first.length);
  const lowest = (of: (found: Found) => Float64Array) => (_: number, q: number) =>
    list.reduce((least, found) => Math.min(least, of(found)[q]), 1);
  worst.counted.set(list[0].counted);
  worst.first.set(worst.first.map((_, q) => list.reduce((last, found) => Math.max(last, found.first[q]), 0)));
  worst.averagePrecision.set(worst.averagePrecision.map(lowest((found) => found.averagePrecision)));
  worst.rPrecision.set(worst.rPrecision.map(lowest((found) => found.rPrecision)));
  return worst;
}
