import { z } from 'zod';
import { inWordsOf } from '../errors.js';
import type { KMeansResult, Matrix } from '../kernels/index.js';
import { kmeansOfStarts } from '../kernels/kmeans.js';
import { count, parseOptions, seed, signal } from '../options.js';
import { ALONE, type Sharing } from '../sharing.js';
import { device } from './device.js';

const clusterOptions = z.strictObject({
  k: count.describe('number of clusters; the number of classes in the usual protocol'),
  seed: seed.optional().describe('fixes the starts (default 0)'),
  restarts: count.default(5).describe('starts of which the one with the least inertia is kept'),
  maxIterations: count.optional().describe('Lloyd iterations per start at most (default 300)'),
  device,
  signal: signal.optional(),
});

/** Options of {@link clusterEmbeddings}. */
export type ClusterOptions = z.input<typeof clusterOptions>;

/**
 * The inference this package is about: k-means (k-means++ starts, Lloyd, squared Euclidean distance) of embeddings
 * `[rows, cols]`, whose labels are the answer. Unit rows are clustered as they are; centroids are not renormalised.
 *
 * @throws EatDmlError ERR_ARGUMENT (k above the number of rows, shapes), ERR_NOT_FINITE, ERR_DEVICE, ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { clusterEmbeddings } from 'eat-dml';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const { labels, inertia } = await clusterEmbeddings(random(200, 16), { k: 4, seed: 1 });
 * console.log(labels.length, inertia);
 * ```
 */
export async function clusterEmbeddings(embeddings: Matrix, options: ClusterOptions): Promise<KMeansResult> {
  return clusterShared(embeddings, options, ALONE);
}

/** {@link clusterEmbeddings}, the starts of which are shared out: the same bits, whoever makes them. */
export async function clusterShared(
  embeddings: Matrix,
  options: ClusterOptions,
  sharing: Sharing,
): Promise<KMeansResult> {
  const given = parseOptions(clusterOptions, options);
  const { signal: _, restarts, ...alike } = given;
  const starts = (begin: number, end: number) =>
    kmeansOfStarts(embeddings, { init: 'k-means++', ...given }, { begin, end }).catch((error) => {
      throw inWordsOf(error, { points: 'embeddings' });
    });
  return sharing.least(`k-means ${JSON.stringify(alike)}`, restarts, starts, ({ inertia }) => inertia);
}
