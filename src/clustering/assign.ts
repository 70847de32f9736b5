import { z } from 'zod';
import { inWordsOf } from '../errors.js';
import { type Matrix, nearestCentroid } from '../kernels/index.js';
import { parseOptions, signal } from '../options.js';

const assignOptions = z.strictObject({ signal: signal.optional() });

/** The nearest centroid `[k, cols]` of each row of `embeddings` `[rows, cols]`: clustering against clusters found before. */
export async function assignToCentroids(
  embeddings: Matrix,
  centroids: Matrix,
  options: { signal?: AbortSignal } = {},
): Promise<Int32Array> {
  const { labels } = await nearestCentroid(embeddings, centroids, parseOptions(assignOptions, options)).catch(
    (error) => {
      throw inWordsOf(error, { points: 'embeddings' });
    },
  );
  return labels;
}
