import { type DeviceName, kmeans, type Matrix } from '../kernels/index.js';
import { checkOptions } from '../kernels/matrix.js';

export interface ClusterOptions {
  /** Number of clusters; the number of classes in the usual protocol. */
  k: number;
  /** Fixes the starts (default 0). */
  seed?: number;
  /** Starts of which the one with the least inertia is kept (default 5). */
  restarts?: number;
  /** Lloyd iterations per start at most (default 100). */
  maxIterations?: number;
  device?: DeviceName | 'auto';
  signal?: AbortSignal;
}

/**
 * The inference this package is about: k-means (k-means++ starts, Lloyd, squared Euclidean distance) of embeddings
 * `[rows, cols]`, whose labels are the answer. Unit rows are clustered as they are; centroids are not renormalised.
 *
 * @throws EatDmlError ERR_ARGUMENT (k above the number of rows, shapes), ERR_NOT_FINITE, ERR_DEVICE, ERR_ABORTED.
 */
export function clusterEmbeddings(embeddings: Matrix, options: ClusterOptions): ReturnType<typeof kmeans> {
  checkOptions(options, ['k', 'seed', 'restarts', 'maxIterations', 'device', 'signal']);
  const { seed = 0, restarts = 5, maxIterations = 100, ...rest } = options;
  return kmeans(embeddings, { ...rest, seed, restarts, maxIterations, init: 'k-means++' });
}
