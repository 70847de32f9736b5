import { createHash } from 'node:crypto';
// Not of src/index.ts, which loads tfjs.
import {
  type DistributedKMeansOptions,
  type DistributedNeighborsOptions,
  distributedKmeans,
  distributedNeighbors,
  type Group,
  shardOf,
} from '../../src/distributed/index.js';
import type { KMeansResult, Matrix, Neighbors } from '../../src/kernels/index.js';
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

/** A few words that change with any bit: what ranks print is cut into one another where it is long. */
export function hashOf(...arrays: ArrayBufferView[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex').slice(0, 16);
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
  const hash = hashOf(labels, centroids.data, counts, Float64Array.of(inertia));
  return `${hash} after ${iterations} of ${labels.length}, ${converged}`;
}

/** What all ranks find together, each for its own share of the queries. */
export async function found(
  group: Group,
  queries: Matrix,
  gallery: Matrix,
  options: DistributedNeighborsOptions,
): Promise<Neighbors> {
  const own = await distributedNeighbors(group, ownRows(queries, group), ownRows(gallery, group), options);
  const [indices, distances] = [await group.allGather(own.indices), await group.allGather(own.distances)];
  return {
    indices: Int32Array.from(indices.flatMap((of) => [...of])),
    distances: Float32Array.from(distances.flatMap((of) => [...of])),
  };
}
