/** How often each class meets each cluster. */
export interface Contingency {
  /** Number of samples. */
  total: number;
  /** Samples of each class, in order of first appearance. */
  classSizes: number[];
  /** Samples of each cluster, in order of first appearance. */
  clusterSizes: number[];
  /** The pairs that occur: entry e says that `counts[e]` samples of class `rows[e]` lie in cluster `cols[e]`. */
  rows: number[];
  cols: number[];
  counts: number[];
}

/** Counts in one pass; only the pairs that occur take memory, so many small classes cost nothing extra. */
export function contingencyOf(labels: ArrayLike<number>, clusters: ArrayLike<number>): Contingency {
  const [rowOf, classSizes] = denseIds(labels);
  const [colOf, clusterSizes] = denseIds(clusters);
  const table: Contingency = { total: labels.length, classSizes, clusterSizes, rows: [], cols: [], counts: [] };
  const entryOf = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const key = rowOf[i] * clusterSizes.length + colOf[i];
    const entry = entryOf.get(key);
    if (entry !== undefined) {
      table.counts[entry]++;
      continue;
    }
    entryOf.set(key, table.counts.length);
    table.rows.push(rowOf[i]);
    table.cols.push(colOf[i]);
    table.counts.push(1);
  }
  return table;
}

/** Ids 0, 1, ... by first appearance, and how often each occurs. */
function denseIds(values: ArrayLike<number>): [ids: Int32Array, sizes: number[]] {
  const idOf = new Map<number, number>();
  const ids = new Int32Array(values.length);
  const sizes: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let id = idOf.get(values[i]);
    if (id === undefined) {
      id = sizes.length;
      idOf.set(values[i], id);
      sizes.push(0);
    }
    ids[i] = id;
    sizes[id]++;
  }
  return [ids, sizes];
}
