import { rowAt, type ShardedPoints } from './sharded-points.js';

/** What an iteration knows of this rank's rows. */
interface Assigned {
  labels: Int32Array;
  /** Squared, to the own centroid. */
  distances: Float32Array;
}

/** A row that an empty cluster may take. */
interface Far {
  distance: number;
  row: number;
  label: number;
  values: Float64Array;
}

/**
 * Each empty cluster takes the point farthest from its centroid, the first at a tie, out of a cluster that keeps another: as the kernel
 * kmeans does, over the rows of all ranks. Changes `sums` [k,d] and `counts` [k] alike on every rank.
 */
export async function fillEmpty(
  points: ShardedPoints,
  assigned: Assigned,
  sums: Float64Array,
  counts: Float64Array,
): Promise<void> {
  const empty = [...counts.keys()].filter((c) => counts[c] === 0);
  if (empty.length === 0) return;
  const { cols } = points;
  // A row is passed over once at most for each cluster of one row, of which every row that is taken may leave one more.
  const enough = 2 * empty.length + counts.filter((count) => count === 1).length;
  const far = await farthest(points, assigned, enough);
  let next = 0;
  for (const c of empty) {
    while (next < far.length && counts[far[next].label] <= 1) next++;
    if (next === far.length || far[next].distance <= 0) return;
    const { label, values } = far[next++];
    for (let j = 0; j < cols; j++) {
      sums[label * cols + j] -= values[j];
      sums[c * cols + j] = values[j];
    }
    counts[label]--;
    counts[c] = 1;
  }
}

/** The `count` rows of all ranks that are farthest from their centroids, farthest first. */
async function farthest(points: ShardedPoints, { labels, distances }: Assigned, count: number): Promise<Far[]> {
  const { group, cols, begin } = points;
  const own = Array.from(distances, (distance, i) => ({ distance, row: begin + i }))
    .sort(byDistance)
    .slice(0, count);
  const width = 3 + cols;
  const mine = new Float64Array(own.length * width);
  for (const [i, { distance, row }] of own.entries()) {
    mine.set([distance, row, labels[row - begin]], i * width);
    mine.set(rowAt(points, row - begin), i * width + 3);
  }
  const told = await group.allGather(mine);
  return told.flatMap((rows) => farIn(rows, width)).sort(byDistance);
}

function farIn(rows: Float64Array, width: number): Far[] {
  return Array.from({ length: rows.length / width }, (_, i) => {
    const [distance, row, label] = rows.subarray(i * width, i * width + 3);
    return { distance, row, label, values: rows.subarray(i * width + 3, (i + 1) * width) };
  });
}

const byDistance = (a: Pick<Far, 'distance' | 'row'>, b: Pick<Far, 'distance' | 'row'>) =>
  b.distance - a.distance || a.row - b.row;
