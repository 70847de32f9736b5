import * as tf from '@tensorflow/tfjs';
import {
  type AttackNorm,
  attackContext,
  type CleanRanking,
  empiricalRobustnessScore,
  pgd,
  RANKING_NAMES,
  type RankingName,
  type RankingScores,
  rankingMeasures,
  rankingObjective,
  selectTargets,
} from '../attacks/index.js';
import type { Dataset } from '../data/index.js';
import { type BackendName, chooseBackend, type EmbeddingMatrix, type Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import { attackDataset } from './attack-dataset.js';

export interface RankingOptions {
  /** Default 0.1; RobRank takes 77/255 for 28 x 28 images. */
  epsilon?: number;
  /** Default `linf`. */
  norm?: AttackNorm;
  /** Default 32, each of 3/77 of the radius, from the clean image. */
  steps?: number;
  seed?: number;
  batchSize?: number;
  backend?: BackendName | 'auto';
  signal?: AbortSignal;
}

export interface RankingReport {
  scores: RankingScores;
  /** Empirical robustness score, 0 to 100. */
  ers: number;
}

/**
 * RobRank's evaluation (Zhou et al., "Enhancing adversarial robustness for deep metric learning", CVPR 2022) through the
 * whole ensemble: every image is query or candidate in the clean set, attacked with M = W = 1; ten measures and their
 * mean. Of all iterates the best is kept, where RobRank keeps the last. Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_ABORTED.
 */
export async function evaluateRanking(
  ensemble: Ensemble,
  data: Dataset,
  options: RankingOptions = {},
): Promise<RankingReport> {
  const { epsilon = 0.1, norm = 'linf', steps = 32, seed = 0, batchSize = 128, signal } = options;
  await chooseBackend({ backend: options.backend ?? 'auto' });
  const clean = await ensemble.embed(data, { signal });
  const { labels, centroids } = await attackContext(clean, data.labels);
  const gallery = tf.tensor2d(clean.data, [clean.rows, clean.cols]);
  const ranking = await cleanRanking(clean, labels);
  const settings = pgd({ norm, epsilon, steps, stepSize: (3 / 77) * epsilon, randomStart: false });
  const run = { ensemble, data, context: { labels, centroids, gallery }, seed, batchSize, signal };
  try {
    const parts: Partial<RankingScores>[] = [];
    for (const name of RANKING_NAMES) {
      const targets = selectTargets(name, ranking, randomStream(seed, 'ranking', name));
      const plan = { name: `ranking/${name}`, objective: rankingObjective(name, targets), settings };
      const attacked = await attackDataset({ ...run, plan });
      parts.push(await measuresOf(name, attacked, clean, ranking, targets));
    }
    const scores = Object.assign({}, ...parts) as RankingScores;
    return { scores, ers: empiricalRobustnessScore(scores) };
  } finally {
    centroids.dispose();
    gallery.dispose();
  }
}

function measuresOf(
  name: RankingName,
  attacked: EmbeddingMatrix,
  clean: EmbeddingMatrix,
  ranking: CleanRanking,
  targets: Int32Array,
) {
  return rankingMeasures(name, { attacked, clean, gallery: clean, ranking, targets });
}

async function cleanRanking(clean: EmbeddingMatrix, labels: Int32Array): Promise<CleanRanking> {
  const { rows } = clean;
  const distances = tf.tidy(() => {
    const e = tf.tensor2d(clean.data, [rows, clean.cols]);
    return tf.sub(2, tf.mul(tf.matMul(e, e, false, true), 2));
  });
  const values = await distances.data<'float32'>();
  distances.dispose();
  const self = Int32Array.from({ length: rows }, (_, i) => i);
  return { distances: values, rows, cols: rows, queryLabels: labels, labels, self };
}
