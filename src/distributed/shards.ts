import { invalid } from '../errors.js';
import { checkCount } from '../kernels/matrix.js';
import { checkPlace, type Group } from './group.js';

/** Of rows, or of parts: from `begin` to before `end`. */
export interface RowRange {
  begin: number;
  end: number;
}

/**
 * Rows are cut into this many parts of about one size, whatever the number of ranks: what is summed within a part is summed by one rank, and
 * how parts are added does not depend on who has them.
 */
const PARTS = 64;

export const partsOf = (rows: number) => Math.min(PARTS, rows);

/** The rows of one part. */
export function rowsOfPart(part: number, rows: number): RowRange {
  return slice(rows, part, partsOf(rows));
}

/** The parts of one rank. */
export function partsOfRank(rows: number, { rank, size }: Pick<Group, 'rank' | 'size'>): RowRange {
  return slice(partsOf(rows), rank, size);
}

/** The `index`-th of `count` pieces of about one size. */
export function slice(whole: number, index: number, count: number): RowRange {
  return { begin: Math.floor((whole * index) / count), end: Math.floor((whole * (index + 1)) / count) };
}

/**
 * Which of `rows` rows this rank of the group has: from `begin` to before `end`. All ranks have about as many, and results over the shards
 * of {@link distributedKmeans} have the same bits for any number of ranks.
 *
 * @throws EatDmlError ERR_ARGUMENT where there are more ranks than the 64 parts, or the rows, that are dealt out.
 */
export function shardOf(rows: number, group: Pick<Group, 'rank' | 'size'>): RowRange {
  checkCount('rows', rows);
  checkPlace(group);
  const parts = partsOf(rows);
  if (group.size > parts) throw invalid('group.size', `at most ${parts} ranks for ${rows} rows`, group.size);
  const { begin, end } = partsOfRank(rows, group);
  return { begin: rowsOfPart(begin, rows).begin, end: rowsOfPart(end - 1, rows).end };
}
