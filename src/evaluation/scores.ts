import { assignToCentroids } from '../clustering/assign.js';
import { clusterShared } from '../clustering/cluster-embeddings.js';
import { clusteringScores } from '../clustering/index.js';
import type { KMeansResult, Matrix } from '../kernels/index.js';
import { ALONE, type Sharing } from '../sharing.js';
import { notDefinedOn } from './defined.js';

/** The metrics of a clustering. */
export const CLUSTER_METRICS = ['nmi', 'ami', 'ari', 'f1', 'purity'] as const;

/** The metrics of a report, each in [0, 1] but ami and ari (0 at chance); higher is better for the defender. */
export const METRICS = [
  ...CLUSTER_METRICS,
  'recallAt1',
  'recallAt2',
  'recallAt4',
  'recallAt8',
  'mapAtR',
  'rPrecision',
] as const;

/** A score of a clustering: `nmi`, `ami`, `ari`, `f1`, `purity`. */
export type ClusterMetric = (typeof CLUSTER_METRICS)[number];
/** A score of embeddings: those of a clustering and those of a search. */
export type MetricName = (typeof METRICS)[number];
/** null where a metric is not defined on the images; the report says why. */
export type Scores = Record<MetricName, number | null>;
/** Scores of a clustering by name; null where one is not defined on the images. */
export type ClusterScores = Record<ClusterMetric, number | null>;

export interface ScoringOptions {
  /** Number of clusters. */
  k: number;
  seed: number;
  clusterRestarts: number;
  /** The K of Recall@K beside 1, 2, 4 and 8. */
  recallAt?: readonly number[];
  signal?: AbortSignal;
  /** Who shares clustering and search (default nobody). */
  sharing?: Sharing;
}

/** k-means of the embeddings, as every protocol runs it. */
export function clustersOf(
  embeddings: Matrix,
  { k, seed, clusterRestarts, signal, sharing = ALONE }: ScoringOptions,
): Promise<KMeansResult> {
  return clusterShared(embeddings, { k, seed, restarts: clusterRestarts, signal }, sharing);
}

/** The nearest of `centroids` to each of the embeddings, as every protocol finds it. */
export function assigned(
  embeddings: Matrix,
  centroids: Matrix,
  { signal, sharing }: Pick<ScoringOptions, 'signal' | 'sharing'>,
): Promise<Int32Array> {
  return assignToCentroids(embeddings, centroids, { signal }, sharing);
}

/** The inductive protocol: samples go to the nearest of `centroids`, which were found on clean data. */
export async function inductiveScores(
  embeddings: Matrix,
  labels: Int32Array,
  centroids: Matrix,
  scoring: ScoringOptions,
): Promise<ClusterScores> {
  return clusterScores(labels, await assigned(embeddings, centroids, scoring));
}

export function clusterScores(labels: Int32Array, clusters: Int32Array): ClusterScores {
  const { nmi, ami, ari, pairwiseF1, purity } = clusteringScores(labels, clusters);
  const scores = { nmi, ami, ari, f1: pairwiseF1, purity };
  const undefinedHere = notDefinedOn(labels);
  const defined = CLUSTER_METRICS.map((metric) => [metric, metric in undefinedHere ? null : scores[metric]]);
  return Object.fromEntries(defined) as ClusterScores;
}

/** Of an attack that cannot be made. */
export const UNDEFINED = Object.fromEntries(METRICS.map((metric) => [metric, null])) as Scores;
export const UNDEFINED_CLUSTERS = Object.fromEntries(CLUSTER_METRICS.map((metric) => [metric, null])) as ClusterScores;

/** The lowest score of each metric over all attacks and the clean images, and which of them gave it; null where none has it. */
export interface WorstCase {
  scores: Scores;
  by: Record<MetricName, string | null>;
}

export function worstCase(candidates: { name: string; scores: Scores }[]): WorstCase {
  const lowest = METRICS.map((metric) => {
    const values = candidates.flatMap(({ name, scores }) => {
      const value = scores[metric];
      return value === null ? [] : [{ name, value }];
    });
    const worst = values.length > 0 ? values.reduce((a, b) => (b.value < a.value ? b : a)) : undefined;
    return [metric, worst] as const;
  });
  return {
    scores: Object.fromEntries(lowest.map(([metric, worst]) => [metric, worst?.value ?? null])) as Scores,
    by: Object.fromEntries(lowest.map(([metric, worst]) => [metric, worst?.name ?? null])) as WorstCase['by'],
  };
}
