import { z } from 'zod';
import { checkLabels } from '../checks.js';
import { EatDmlError, invalid } from '../errors.js';
import { type DeviceName, type Matrix, nearestNeighbors } from '../kernels/index.js';
import { notFinite, readMatrix, rowsFrom } from '../kernels/matrix.js';
import { anything, count, parseOptions, signal } from '../options.js';
import { ALONE, type Sharing } from '../sharing.js';
import { device } from './device.js';
import { type Found, joinedFound, note, nothingFound, retrievalOf } from './found.js';

/** The set that queries are looked up in, where it is not the set of queries itself. */
export interface Gallery {
  /** `[galleryRows, cols]`, with the queries' `cols`. */
  embeddings: Matrix;
  /** One integer per gallery row. */
  labels: ArrayLike<number>;
  /**
   * Which gallery row shows the same image as each query and is therefore never counted as retrieved:
   * `'same-row'` (query i is gallery row i: attacked queries against the clean gallery they were made from),
   * one row per query with -1 for "none", or absent when queries and gallery share no image.
   */
  selfIndex?: 'same-row' | ArrayLike<number>;
}

/** Options of {@link retrievalScores}. */
export interface RetrievalOptions {
  /** The K of Recall@K (default 1, 2, 4, 8). A K above the number of candidates counts all of them. */
  recallAt?: number[];
  gallery?: Gallery;
  device?: DeviceName | 'auto';
  signal?: AbortSignal;
}

/** Means over all counted queries, each in [0, 1]. */
export interface RetrievalScores {
  /** Share of queries with at least one of their class among their K nearest. */
  recallAt: Record<number, number>;
  /** Mean over queries of `(1/R) sum_{i <= R} precision@i [i-th is relevant]`, R = number of relevant candidates. */
  mapAtR: number;
  /** Mean over queries of the share of relevant ones among their R nearest. */
  rPrecision: number;
  /** Share of queries whose nearest candidate is of their class. */
  precisionAt1: number;
  /** Queries counted: those with at least one relevant candidate. */
  queries: number;
}

/**
 * Retrieval by exact Euclidean nearest neighbours (of embeddings as they are; unit rows make it cosine), as
 * pytorch-metric-learning's `AccuracyCalculator(k='max_bin_count')` defines the scores. Without `gallery` every row is
 * a query against all other rows (leave-one-out). Equal distances are ranked by gallery row, lowest first.
 *
 * A query without any relevant candidate, such as a label that occurs only once in leave-one-out, has no defined score:
 * like in pytorch-metric-learning it is left out of every mean, yet stays a candidate for the others.
 *
 * Neighbours are found for a block of queries at a time: memory is bounded whatever the number of rows.
 *
 * @throws EatDmlError ERR_ARGUMENT (shapes, lengths, non-integers, no query with a relevant candidate),
 *   ERR_NOT_FINITE (names the row), ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { retrievalScores } from 'eat-dml';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const labels = Array.from({ length: 100 }, (_, i) => i % 5);
 * const { recallAt, mapAtR } = await retrievalScores(random(100, 16), labels, { recallAt: [1, 10] });
 * console.log(recallAt[1], recallAt[10], mapAtR);
 * ```
 */
export async function retrievalScores(
  embeddings: Matrix,
  labels: ArrayLike<number>,
  options: RetrievalOptions = {},
): Promise<RetrievalScores> {
  return (await retrieve(embeddings, labels, options)).scores;
}

export interface Retrieval {
  scores: RetrievalScores;
  /** 1 for each query whose nearest candidate is of its class. */
  nearestIsOwnClass: Uint8Array;
  found: Found;
}

/** {@link retrievalScores}, and what became of each query. Queries are shared out: what becomes of one does not depend on others. */
export async function retrieve(
  embeddings: Matrix,
  labels: ArrayLike<number>,
  options: RetrievalOptions,
  sharing: Sharing = ALONE,
): Promise<Retrieval> {
  const recallAt = checkRetrievalOptions(options);
  const queries = readLabelled('embeddings', embeddings, 'labels', labels);
  const gallery = options.gallery
    ? readGallery(options.gallery, queries)
    : { embeddings: queries, labels, selfIndex: 'same-row' as const };
  const selfOf = selfLookup(gallery, queries.rows);
  const relevant = relevantCounts(labels, gallery.labels, selfOf);
  const larger = (a: number, b: number) => Math.max(a, b);
  const wanted = recallAt.reduce(larger, relevant.reduce(larger, 0));
  const find = { device: options.device, signal: options.signal, checkFinite: false };
  // One more than wanted, because the own image is dropped afterwards where it is among them.
  const k = Math.min(wanted + 1, gallery.embeddings.rows);
  const search = async (begin: number, end: number): Promise<Found> => {
    const found = nothingFound(end - begin);
    for (const [start, stop] of blocks(begin, end, k)) {
      const { indices } = await nearestNeighbors(rowsFrom(queries, start, stop), gallery.embeddings, { ...find, k });
      for (let q = start; q < stop; q++) {
        if (relevant[q] === 0) continue;
        const ranked = indices.subarray((q - start) * k, (q - start + 1) * k);
        note(found, q - begin, hitsOf(ranked, selfOf(q), labels[q], gallery.labels), relevant[q]);
      }
    }
    return found;
  };
  const what = `search for ${k} neighbours among ${gallery.embeddings.rows}`;
  return retrievalOf(joinedFound(await sharing.parts(what, queries.rows, search)), recallAt);
}

/** Ranks at which the query's class appears once `self` is taken out of the ranking. */
function hitsOf(ranked: Int32Array, self: number, label: number, galleryLabels: ArrayLike<number>): number[] {
  const hits: number[] = [];
  let rank = 0;
  for (const candidate of ranked) {
    if (candidate === self) continue;
    if (galleryLabels[candidate] === label) hits.push(rank);
    rank++;
  }
  return hits;
}

/** How many gallery rows of its class each query can find, itself not counted. */
function relevantCounts(
  labels: ArrayLike<number>,
  galleryLabels: ArrayLike<number>,
  selfOf: (q: number) => number,
): Int32Array {
  const sizes = new Map<number, number>();
  for (let i = 0; i < galleryLabels.length; i++) sizes.set(galleryLabels[i], (sizes.get(galleryLabels[i]) ?? 0) + 1);
  const counts = new Int32Array(labels.length);
  for (let q = 0; q < labels.length; q++) {
    const self = selfOf(q);
    const ownIsRelevant = self >= 0 && galleryLabels[self] === labels[q];
    counts[q] = (sizes.get(labels[q]) ?? 0) - (ownIsRelevant ? 1 : 0);
  }
  if (counts.some((count) => count > 0)) return counts;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    'Expected at least one query with another sample of its class to retrieve but received none.',
  );
}

function selfLookup({ selfIndex }: Gallery, queries: number): (q: number) => number {
  if (selfIndex === undefined) return () => -1;
  if (selfIndex === 'same-row') return (q) => q;
  const rows = Int32Array.from({ length: queries }, (_, q) => selfIndex[q]);
  return (q) => rows[q];
}

/** Cuts queries so that a block's neighbour lists hold about four million entries. */
function* blocks(begin: number, end: number, k: number): Generator<[start: number, stop: number]> {
  const size = Math.max(1, Math.floor(2 ** 22 / k));
  for (let start = begin; start < end; start += size) yield [start, Math.min(start + size, end)];
}

const KS = 'a list of positive integers';
const retrievalOptions = z.strictObject({
  recallAt: z.array(count, KS).min(1, KS).default([1, 2, 4, 8]),
  gallery: z.strictObject({ embeddings: anything, labels: anything, selfIndex: anything }).optional(),
  device,
  signal: signal.optional(),
});

function checkRetrievalOptions(options: RetrievalOptions): number[] {
  return parseOptions(retrievalOptions, options).recallAt;
}

/** The matrix to compute on, when it is one finite matrix with a label per row. */
function readLabelled(name: string, given: Matrix, labelName: string, labels: ArrayLike<number>): Matrix {
  const embeddings = readMatrix(name, given);
  if ((embeddings.batch ?? 1) !== 1) throw invalid(`${name}.batch`, '1 or no batch', embeddings.batch);
  checkLabels(labelName, labels, embeddings.rows);
  const { data, rows, cols } = embeddings;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw notFinite(name, embeddings, Math.floor(bad / cols), data[bad]);
  return { data, rows, cols };
}

function readGallery(given: Gallery, queries: Matrix): Gallery {
  const { labels, selfIndex } = given;
  const embeddings = readLabelled('gallery.embeddings', given.embeddings, 'gallery.labels', labels);
  if (embeddings.cols !== queries.cols) {
    throw invalid('gallery.embeddings.cols', `the queries' ${queries.cols}`, embeddings.cols);
  }
  checkSelfIndex(selfIndex, queries.rows, embeddings.rows);
  return { embeddings, labels, selfIndex };
}

function checkSelfIndex(selfIndex: Gallery['selfIndex'], queries: number, galleryRows: number): void {
  if (selfIndex === undefined) return;
  if (selfIndex === 'same-row') {
    if (galleryRows >= queries) return;
    throw invalid('gallery.embeddings.rows', `at least the queries' ${queries}`, galleryRows);
  }
  checkLabels('gallery.selfIndex', selfIndex, queries);
  for (let q = 0; q < queries; q++) {
    if (selfIndex[q] < -1 || selfIndex[q] >= galleryRows) {
      throw invalid(`gallery.selfIndex[${q}]`, `-1 or a gallery row below ${galleryRows}`, selfIndex[q]);
    }
  }
}
