import { distance } from 'ml-distance';
import { kmeans as mlKmeans } from 'ml-kmeans';
import skmeans from 'skmeans';
import { kmeansSync, type Matrix, pairwiseDistanceSync } from '../src/kernels/index.js';
import { randomStream } from '../src/random.js';

/** The same work by this package and by another of npm's. */
export interface PeerRow {
  name: string;
  peer: string;
  own(): unknown;
  theirs(): unknown;
}

function points(rows: number, cols: number, seed: number): { matrix: Matrix; lists: number[][] } {
  const { normal } = randomStream(seed, 'bench', rows, cols);
  const data = Float32Array.from({ length: rows * cols }, normal);
  const lists = Array.from({ length: rows }, (_, i) => [...data.subarray(i * cols, (i + 1) * cols)]);
  return { matrix: { data, rows, cols }, lists };
}

const K = 20;
const ITERATIONS = 10;
const cloud = points(5000, 64, 1);
const init = { data: cloud.matrix.data.slice(0, K * 64), rows: K, cols: 64 };
const starts = cloud.lists.slice(0, K);
const own = () => kmeansSync(cloud.matrix, { init, maxIterations: ITERATIONS });
const [left, right] = [points(600, 64, 2), points(600, 64, 3)];

/** The same start and the same number of iterations for k-means; both sides return all distances for the other. */
export const peerRows: PeerRow[] = [
  {
    name: `k-means, 5000 x 64, k ${K}, ${ITERATIONS} iterations`,
    peer: 'ml-kmeans',
    own,
    theirs: () => mlKmeans(cloud.lists, K, { initialization: starts, maxIterations: ITERATIONS, tolerance: 0 }),
  },
  {
    name: `k-means, 5000 x 64, k ${K}, ${ITERATIONS} iterations`,
    peer: 'skmeans',
    own,
    theirs: () => skmeans(cloud.lists, K, starts, ITERATIONS),
  },
  {
    name: 'squared distances, 600 x 600, d 64',
    peer: 'ml-distance',
    own: () => pairwiseDistanceSync(left.matrix, right.matrix),
    theirs: () => left.lists.map((a) => right.lists.map((b) => distance.squaredEuclidean(a, b))),
  },
];
