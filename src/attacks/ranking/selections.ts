import { z } from 'zod';
import { atLeast, count, int32Array, parse } from '../../options.js';
import type { RandomStream } from '../../random.js';
import { type ErsRules, ersRules, type RankingName, rankingName } from './names.js';

/** Clean distances of every sample to every gallery row, [n, m] row-major, and who is who. */
export interface CleanRanking {
  distances: Float32Array;
  rows: number;
  cols: number;
  /** Class of each sample. */
  queryLabels: Int32Array;
  /** Class of each gallery row. */
  labels: Int32Array;
  /** Gallery row of each sample's own self. */
  self: Int32Array;
}

/** {@link CleanRanking}, as a schema. */
export const cleanRanking = z
  .strictObject({
    distances: z.custom<Float32Array>((value) => value instanceof Float32Array, 'a Float32Array'),
    rows: count,
    cols: atLeast(2, 'at least 2 gallery rows'),
    queryLabels: int32Array('an Int32Array of classes'),
    labels: int32Array('an Int32Array of classes'),
    self: int32Array('an Int32Array of gallery rows'),
  })
  .check(({ value, issues }) => {
    const { rows, cols } = value;
    const lengths = { distances: rows * cols, queryLabels: rows, labels: cols, self: rows };
    for (const [key, length] of Object.entries(lengths)) {
      const input = value[key as keyof typeof lengths];
      if (input.length === length) continue;
      issues.push({ code: 'custom', path: [key], message: `${length} values`, input });
    }
  });

const stream = z.custom<RandomStream>(
  (value) => typeof (value as RandomStream | undefined)?.integer === 'function',
  'a stream with integer(bound)',
);

/** Share of the gallery from which CA- and QA- draw what is to be lowered. */
const TOPMOST = 0.01;

/**
 * The gallery row that each sample's attack is about, as RobRank selects it with M = W = 1: any row (CA+, QA+, TMA), one
 * of the nearest 1% but the sample itself (CA-, QA-), the nearest of another class (GTM), the nearest but itself (GTT);
 * -1 for attacks that name no row. `rules` are those of {@link ErsRules}.
 */
export function selectTargets(
  name: RankingName,
  ranking: CleanRanking,
  random: RandomStream,
  rules: ErsRules = 'corrected',
): Int32Array {
  parse(rankingName, name, 'name');
  parse(ersRules, rules, 'rules');
  parse(stream, random, 'random');
  const { rows, cols, labels, queryLabels, self } = parse(cleanRanking, ranking, 'ranking');
  const nearest = (i: number, allowed: (j: number) => boolean, count: number) => {
    const row = ranking.distances.subarray(i * cols, (i + 1) * cols);
    const others = Array.from({ length: cols }, (_, j) => j).filter((j) => j !== self[i] && allowed(j));
    return others.sort((a, b) => row[a] - row[b]).slice(0, count);
  };
  const any = () => true;
  const topmost = Math.max(1, Math.floor(TOPMOST * cols));
  return Int32Array.from({ length: rows }, (_, i) => {
    if (name === 'CA+' || name === 'QA+' || name === 'TMA') return random.integer(cols);
    if (name === 'CA-' || name === 'QA-') {
      const near = nearest(i, any, topmost);
      return near[random.integer(near.length)];
    }
    if (name === 'GTM') {
      const other = nearest(i, (j) => labels[j] !== queryLabels[i], 1)[0] ?? -1;
      return rules === 'robrank' ? placeAmongOthers(labels, queryLabels[i], other) : other;
    }
    if (name === 'GTT') return nearest(i, any, 1)[0];
    return -1;
  });
}

/** Where `row` stands in the list of the rows of other classes than `own`. */
function placeAmongOthers(labels: Int32Array, own: number, row: number): number {
  return labels.subarray(0, Math.max(row, 0)).filter((label) => label !== own).length;
}
