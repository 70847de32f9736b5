import { z } from 'zod';
import { inWordsOf } from '../errors.js';
import { joined } from '../joined.js';
import { type Matrix, nearestCentroid } from '../kernels/index.js';
import { rowsFrom } from '../kernels/matrix.js';
import { parseOptions, signal } from '../options.js';
import { ALONE, type Sharing } from '../sharing.js';

const assignOptions = z.strictObject({ signal: signal.optional() });

/**
 * The nearest centroid `[k, cols]` of each row of `embeddings` `[rows, cols]`: clustering against clusters found before. Rows are shared out:
 * the label of one does not depend on others.
 */
export async function assignToCentroids(
  embeddings: Matrix,
  centroids: Matrix,
  options: { signal?: AbortSignal } = {},
  sharing: Sharing = ALONE,
): Promise<Int32Array> {
  const given = parseOptions(assignOptions, options);
  const labelled = async (begin: number, end: number) => {
    const { labels } = await nearestCentroid(rowsFrom(embeddings, begin, end), centroids, given).catch((error) => {
      throw inWordsOf(error, { points: 'embeddings' });
    });
    return labels;
  };
  return joined(await sharing.parts(`assignment to ${centroids.rows} centroids`, embeddings.rows, labelled));
}
