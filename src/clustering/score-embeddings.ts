import { z } from 'zod';
import { checkLabels } from '../checks.js';
import { EatDmlError } from '../errors.js';
import type { DeviceName, Matrix } from '../kernels/index.js';
import { checkMatrix } from '../kernels/matrix.js';
import { anything, count, parseOptions, seed, signal } from '../options.js';
import { clusterEmbeddings } from './cluster-embeddings.js';
import { type ClusteringScores, clusteringScores } from './clustering-scores.js';
import { device } from './device.js';
import { type RetrievalScores, retrievalScores } from './retrieval-scores.js';
import { stacked } from './stacked.js';

/** Of more clusters one start is as good as several, and takes minutes. */
const MANY_CLUSTERS = 1000;

const scoreOptions = z.strictObject({
  gallery: z.strictObject({ embeddings: anything, labels: anything }).optional(),
  k: count.optional(),
  recallAt: z.array(count).min(1).optional(),
  restarts: count.optional(),
  seed: seed.default(0),
  device,
  signal: signal.optional(),
});

/** Options of {@link scoreEmbeddings}. */
export interface ScoreOptions {
  /** Where the embeddings are looked up as queries, if not among themselves: other images, such as In-Shop's gallery. */
  gallery?: { embeddings: Matrix; labels: ArrayLike<number> };
  /** Number of clusters (default the number of classes). */
  k?: number;
  /** The K of Recall@K (default 1, 2, 4, 8). */
  recallAt?: number[];
  /** k-means starts (default 5, of more than 1,000 clusters 1). */
  restarts?: number;
  seed?: number;
  device?: DeviceName | 'auto';
  signal?: AbortSignal;
}

/** Scores of embeddings, whoever made them. */
export interface EmbeddingScores {
  /** k-means of all embeddings, those of the gallery among them. */
  clustering: ClusteringScores & { k: number; restarts: number; inertia: number };
  /** null where no query has another of its class to be found, and Recall@K is not defined. */
  retrieval: RetrievalScores | null;
}

/**
 * Clusters and searches embeddings `[rows, cols]` of any origin, by the kernels of this package: exact neighbours, k-means++ and
 * Lloyd. They are taken as they are: scale rows to unit length before, where cosine is meant.
 *
 * @throws EatDmlError ERR_ARGUMENT (shapes, lengths), ERR_NOT_FINITE (names the row), ERR_DEVICE, ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { readNpy, scoreEmbeddings } from 'eat-dml';
 *
 * const [embeddings, labels] = await Promise.all([readNpy('embeddings.npy'), readNpy('labels.npy')]);
 * const [rows, cols] = embeddings.shape;
 * const matrix = { data: Float32Array.from(embeddings.data, Number), rows, cols };
 * const { clustering, retrieval } = await scoreEmbeddings(matrix, Array.from(labels.data, Number), { seed: 1 });
 * console.log(clustering.nmi, retrieval!.recallAt[1], retrieval!.mapAtR);
 * ```
 */
export async function scoreEmbeddings(
  embeddings: Matrix,
  labels: ArrayLike<number>,
  options: ScoreOptions = {},
): Promise<EmbeddingScores> {
  const {
    k: clusters,
    recallAt,
    restarts: starts,
    seed,
    device,
    signal,
    ...given
  } = parseOptions(scoreOptions, options);
  const gallery = given.gallery as ScoreOptions['gallery'];
  checkMatrix('embeddings', embeddings);
  checkLabels('labels', labels, embeddings.rows);
  const all = gallery ? joined(embeddings, labels, gallery) : { embeddings, labels };
  const k = clusters ?? new Set(Array.from(all.labels)).size;
  const restarts = starts ?? (k > MANY_CLUSTERS ? 1 : 5);
  const search = { ...(recallAt && { recallAt }), gallery, device, signal };
  const retrieval = anyToFind(labels, gallery?.labels) ? await retrievalScores(embeddings, labels, search) : null;
  const found = await clusterEmbeddings(all.embeddings, { k, seed, restarts, device, signal });
  const { inertia } = found;
  return { clustering: { k, restarts, inertia, ...clusteringScores(all.labels, found.labels) }, retrieval };
}

/** Queries and gallery as one set. */
function joined(embeddings: Matrix, labels: ArrayLike<number>, gallery: NonNullable<ScoreOptions['gallery']>) {
  checkMatrix('gallery.embeddings', gallery.embeddings);
  checkLabels('gallery.labels', gallery.labels, gallery.embeddings.rows);
  const { cols } = embeddings;
  if (gallery.embeddings.cols !== cols) {
    const message = `Expected the queries' ${cols} columns in gallery.embeddings but received ${gallery.embeddings.cols}.`;
    throw new EatDmlError('ERR_ARGUMENT', message);
  }
  return {
    embeddings: stacked(embeddings, gallery.embeddings),
    labels: [...Array.from(labels), ...Array.from(gallery.labels)],
  };
}

/** Whether any query has another of its class to be found. */
function anyToFind(labels: ArrayLike<number>, gallery?: ArrayLike<number>): boolean {
  const queries = Array.from(labels);
  if (!gallery) return new Set(queries).size < queries.length;
  const there = new Set(Array.from(gallery));
  return queries.some((label) => there.has(label));
}
