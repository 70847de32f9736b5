import { createHash } from 'node:crypto';
// Not of src/index.ts, which loads tfjs.
import { type DistributedKMeansOptions, distributedKmeans, type Group, shardOf } from '../../src/distributed/index.js';
import type { KMeansResult, Matrix } from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';

/** Points around centers, none of which is like another. */
export function blobs(rows: number, cols: number, centers: number): Matrix {
  const random = randomStream(4, 'blobs');
  const at = Float64Array.from({ length: centers * cols }, () => 3 * random.normal());
  const data = Float32Array.from({ length: rows * cols }, (_, i) => {
    const center = Math.floor(i / cols) % centers;
    return at[center * cols + (i % cols)] + random.normal();
  });
  return { data, rows, cols };
}

export function ownRows({ data, rows, cols }: Matrix, group: Pick<Group, 'rank' | 'size'>): Matrix {
  const { begin, end } = shardOf(rows, group);
  return { data: data.slice(begin * cols, end * cols), rows: end - begin, cols };
}

/** All of a result in a few words that change with any bit; labels are those of all ranks. */
export async function clustered(
  group: Group,
  points: Matrix,
  options: DistributedKMeansOptions,
): Promise<KMeansResult> {
  const result = await distributedKmeans(group, ownRows(points, group), options);
  const labels = await group.allGather(result.labels);
  return { ...result, labels: Int32Array.from(labels.flatMap((of) => [...of])) };
}

export function bitsOf({ labels, centroids, counts, inertia, iterations, converged }: KMeansResult): string {
  const hash = createHash('sha256');
  for (const of of [labels, centroids.data, counts, Float64Array.of(inertia)]) {
    hash.update(new Uint8Array(of.buffer, of.byteOffset, of.byteLength));
  }
  return `${hash.digest('hex').slice(0, 16)} after ${iterations} of ${labels.length}, ${converged}`;
}
