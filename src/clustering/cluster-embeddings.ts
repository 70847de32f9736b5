import { inWordsOf } from '../errors.js';
import { type DeviceName, type KMeansResult, kmeans, type Matrix } from '../kernels/index.js';
import { checkOptions } from '../kernels/matrix.js';

export interface ClusterOptions {
  /** Number of clusters; the number of classes in the usual protocol. */
  k: number;
  /** Fixes the starts (default 0). */
  seed?: number;
  /** Starts of which the one with the least inertia is kept (default 5). */
  restarts?: number;
  /** Lloyd iterations per start at most (default 300). */
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
export async function clusterEmbeddings(embeddings: Matrix, options: ClusterOptions): Promise<KMeansResult> {
  checkOptions(options, ['k', 'seed', 'restarts', 'maxIterations', 'device', 'signal']);
  return kmeans(embeddings, { init: 'k-means++', restarts: 5, ...options }).catch((error) => {
    throw inWordsOf(error, { points: 'embeddings' });
  });
}
