import type { RowRange as Range } from './shards.js';

export const within = (node: Range, of: Range) => node.begin >= of.begin && node.end <= of.end;

/** The largest nodes that `is` holds for, from the left. */
export function subtrees(node: Range, is: (node: Range) => boolean): Range[] {
  if (is(node)) return [node];
  return node.end - node.begin === 1 ? [] : halves(node).flatMap((half) => subtrees(half, is));
}

/** The left one is the largest power of two that leaves something. */
export function halves({ begin, end }: Range): [Range, Range] {
  let half = 1;
  while (half * 2 < end - begin) half *= 2;
  return [
    { begin, end: begin + half },
    { begin: begin + half, end },
  ];
}
