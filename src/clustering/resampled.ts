import type { RandomStream } from '../random.js';
import { type ClusteringScores, tableScores } from './clustering-scores.js';
import { type Contingency, contingencyOf } from './contingency.js';

/** A clustering whose samples are drawn anew. */
export interface Clustered {
  /** The contingency table of as many samples, drawn with replacement. */
  table(random: RandomStream): Contingency;
  /** Its scores. */
  scores(random: RandomStream): Omit<ClusteringScores, 'ami'>;
}

/** `labels` and `clusters` [n]: what they are called does not matter. */
export function clustered(labels: Int32Array, clusters: Int32Array): Clustered {
  const { rows, cols, classSizes, clusterSizes, total, counts } = contingencyOf(labels, clusters);
  // Which sample is drawn does not matter, but which cell it lies in.
  const cellOf = new Int32Array(total);
  let at = 0;
  for (const [cell, count] of counts.entries()) {
    cellOf.fill(cell, at, at + count);
    at += count;
  }
  const table = (random: RandomStream) => {
    const drawn = new Int32Array(counts.length);
    for (let i = 0; i < total; i++) drawn[cellOf[random.integer(total)]]++;
    const sizes = [new Int32Array(classSizes.length), new Int32Array(clusterSizes.length)];
    for (const [cell, count] of drawn.entries()) {
      sizes[0][rows[cell]] += count;
      sizes[1][cols[cell]] += count;
    }
    return withoutGaps({ rows, cols, drawn, sizes, total });
  };
  return { table, scores: (random) => tableScores(table(random)) };
}

interface Drawn {
  rows: number[];
  cols: number[];
  drawn: Int32Array;
  sizes: Int32Array[];
  total: number;
}

/** Only what was drawn. */
function withoutGaps({ rows, cols, drawn, sizes, total }: Drawn): Contingency {
  const places = sizes.map((list) => {
    let next = 0;
    return list.map((size) => (size > 0 ? next++ : -1));
  });
  const [classSizes, clusterSizes] = sizes.map((list) => Array.from(list.filter((size) => size > 0)));
  const table: Contingency = { total, classSizes, clusterSizes, rows: [], cols: [], counts: [] };
  for (const [cell, count] of drawn.entries()) {
    if (count === 0) continue;
    table.rows.push(places[0][rows[cell]]);
    table.cols.push(places[1][cols[cell]]);
    table.counts.push(count);
  }
  return table;
}
