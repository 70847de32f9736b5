import { clusterEmbeddings, clusteringScores, retrievalScores } from '../clustering/index.js';
import type { EmbeddingMatrix } from '../models/index.js';

/** The metrics of a report, each in [0, 1] but ami and ari (0 at chance); higher is better for the defender. */
export const METRICS = [
  'nmi',
  'ami',
  'ari',
  'f1',
  'purity',
  'recallAt1',
  'recallAt2',
  'recallAt4',
  'recallAt8',
  'mapAtR',
  'rPrecision',
] as const;

export type MetricName = (typeof METRICS)[number];
export type Scores = Record<MetricName, number>;

export interface ScoringOptions {
  /** Number of clusters. */
  k: number;
  seed: number;
  clusterRestarts: number;
  signal?: AbortSignal;
}

/**
 * Clusters `embeddings` [n, d] (transductively: the whole set, as it is) and searches them as queries in the clean
 * `gallery`, where a query's own clean image never counts as found.
 */
export async function scoresOf(
  embeddings: EmbeddingMatrix,
  labels: Int32Array,
  gallery: EmbeddingMatrix,
  { k, seed, clusterRestarts, signal }: ScoringOptions,
): Promise<Scores> {
  const clusters = await clusterEmbeddings(embeddings, { k, seed, restarts: clusterRestarts, signal });
  const { nmi, ami, ari, pairwiseF1, purity } = clusteringScores(labels, clusters.labels);
  const { recallAt, mapAtR, rPrecision } = await retrievalScores(embeddings, labels, {
    recallAt: [1, 2, 4, 8],
    gallery: { embeddings: gallery, labels, selfIndex: 'same-row' },
    signal,
  });
  return {
    ...{ nmi, ami, ari, f1: pairwiseF1, purity },
    ...{ recallAt1: recallAt[1], recallAt2: recallAt[2], recallAt4: recallAt[4], recallAt8: recallAt[8] },
    ...{ mapAtR, rPrecision },
  };
}

/** The lowest score of each metric over all attacks and the clean images, and which of them gave it. */
export function worstCase(candidates: { name: string; scores: Scores }[]): {
  scores: Scores;
  by: Record<MetricName, string>;
} {
  const lowest = METRICS.map((metric) => {
    const worst = candidates.reduce((a, b) => (b.scores[metric] < a.scores[metric] ? b : a));
    return [metric, worst] as const;
  });
  return {
    scores: Object.fromEntries(lowest.map(([metric, { scores }]) => [metric, scores[metric]])) as Scores,
    by: Object.fromEntries(lowest.map(([metric, { name }]) => [metric, name])) as Record<MetricName, string>,
  };
}
