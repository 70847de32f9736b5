import { z } from 'zod';
import { checkLabels } from '../checks.js';
import { inWordsOf } from '../errors.js';
import { type Matrix, nearestCentroid, nearestNeighbors } from '../kernels/index.js';
import { checkMatrix } from '../kernels/matrix.js';
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

/**
 * 1 for each query whose nearest gallery row is of its class, row i of the gallery being query i's own image, which
 * never counts; the mean is Recall@1. `labels` are those of queries and gallery alike.
 */
export async function nearestIsOwnClass(
  queries: Matrix,
  labels: ArrayLike<number>,
  gallery: Matrix,
  options: { signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const { signal } = parseOptions(assignOptions, options);
  checkMatrix('queries', queries);
  checkMatrix('gallery', gallery);
  checkLabels('labels', labels, queries.rows);
  checkLabels('labels', labels, gallery.rows);
  const find = nearestNeighbors(queries, gallery, { k: Math.min(2, gallery.rows), signal });
  const { indices } = await find.catch((error) => {
    throw inWordsOf(error, { points: 'gallery' });
  });
  const k = indices.length / queries.rows;
  return Uint8Array.from({ length: queries.rows }, (_, i) => {
    const found = indices.subarray(i * k, (i + 1) * k).find((j) => j !== i);
    return found !== undefined && labels[found] === labels[i] ? 1 : 0;
  });
}
