import {
  type AttackNorm,
  type AttackSettings,
  type CleanRanking,
  empiricalRobustnessScore,
  RANKING_NAMES,
  type RankingName,
  type RankingScores,
  rankingObjective,
  selectTargets,
} from '../attacks/index.js';
import type { ErsRules } from '../attacks/ranking/names.js';
import { rankingMeasuresShared } from '../attacks/ranking/scores.js';
import { type Matrix, pairwiseDistance } from '../kernels/index.js';
import { randomStream } from '../random.js';
import { ALONE, type Sharing } from '../sharing.js';
import { attackDataset, type DatasetAttack } from './attack-dataset.js';
import { notDefinedOn, ONE_CLASS } from './defined.js';
import { type EvaluationProgress, progressReporter } from './progress.js';
import { rankingSettings } from './ranking-settings.js';
import { disposeContext, setContext } from './set-context.js';
import type { AttackPlan } from './suites/index.js';

/** A measure by its name in {@link RankingScores}. */
type Measure = keyof RankingScores;

/** What {@link evaluateRanking} measured: every ranking measure, and the score over all of them. */
export interface RankingReport {
  /** null where a measure is not defined on the images. */
  scores: Record<Measure, number | null>;
  /** Empirical robustness score, 0 to 100; null where one of its measures is. */
  ers: number | null;
  /** Why measures are null. */
  notDefined: Partial<Record<Measure, string>>;
}

/** What is attacked. */
export type RankingRun = Pick<DatasetAttack, 'ensemble' | 'data' | 'batchSize' | 'seed' | 'signal'> & {
  onProgress?: (progress: EvaluationProgress) => void;
  /** Who shares the measures (default nobody). */
  sharing?: Sharing;
};

export interface RankingSettings {
  norm: AttackNorm;
  epsilon: number;
  steps: number;
  ers: ErsRules;
}

/** RobRank's measures of images whose clean embeddings are `clean`. */
export async function rankingOf(
  run: RankingRun,
  clean: Matrix,
  { epsilon, norm, steps, ers: rules }: RankingSettings,
): Promise<RankingReport> {
  const context = await setContext(clean, run.data.labels);
  const { sharing = ALONE } = run;
  const notDefined = notDefinedIn(context.labels);
  const ranking = await cleanRanking(clean, context.labels);
  const keep = rules === 'robrank' ? 'last' : 'best';
  const settings = { ...rankingSettings({ norm, epsilon, steps }), keep } as AttackSettings;
  const names = RANKING_NAMES.filter((name) => !measuresNamed(name).every((measure) => measure in notDefined));
  const plans = names.map((name) => {
    const targets = selectTargets(name, ranking, randomStream(run.seed, 'ranking', name), rules);
    return { name: `ranking/${name}`, objective: rankingObjective(name, targets, rules), settings, targets };
  });
  const onBatch = progressReporter(run.onProgress, plans, clean.rows);
  const attacked = (plan: AttackPlan) =>
    attackDataset({ ...run, context, plan, onBatch: (images) => onBatch(plan, images) });
  try {
    const parts: Partial<RankingScores>[] = [];
    for (const [i, name] of names.entries()) {
      const { targets, ...plan } = plans[i];
      const measuredAs = (embeddings: Matrix) =>
        rankingMeasuresShared(name, { attacked: embeddings, clean, gallery: clean, ranking, targets }, sharing);
      parts.push(await measuredAs(await attacked(plan)));
      if (name !== 'ES' || rules !== 'robrank') continue;
      const shorter = { ...plan, settings: { ...settings, steps: steps - 1 } as AttackSettings };
      const before = steps === 1 ? clean : await attackDataset({ ...run, context, plan: shorter });
      const { 'ES:D': shift } = await measuredAs(before);
      parts.push({ 'ES:D': shift });
    }
    const measured = Object.assign({}, ...parts) as RankingScores;
    const scores = { ...measured, ...nulls(notDefined) };
    return { scores, ers: Object.keys(notDefined).length > 0 ? null : empiricalRobustnessScore(measured), notDefined };
  } finally {
    disposeContext(context);
  }
}

/** What images with these labels leave undefined: one has nothing to be ranked among, and recall needs others of a class. */
function notDefinedIn(labels: Int32Array): RankingReport['notDefined'] {
  const because = (why: string, measures: readonly Measure[]) => Object.fromEntries(measures.map((m) => [m, why]));
  if (labels.length < 2) return because('there is one image', RANKING_NAMES.flatMap(measuresNamed));
  const { recallAt1 } = notDefinedOn(labels);
  return {
    ...(recallAt1 ? because(recallAt1, ['ES:R', 'LTM', 'GTM']) : {}),
    ...(new Set(labels).size < 2 ? because(ONE_CLASS, ['LTM', 'GTM']) : {}),
  };
}

/** The measures that an attack gives. */
function measuresNamed(name: RankingName): Measure[] {
  return name === 'ES' ? ['ES:D', 'ES:R'] : [name];
}

function nulls(notDefined: RankingReport['notDefined']): Partial<Record<Measure, null>> {
  return Object.fromEntries(Object.keys(notDefined).map((measure) => [measure, null]));
}

async function cleanRanking(clean: Matrix, labels: Int32Array): Promise<CleanRanking> {
  const { rows } = clean;
  const { data: values } = await pairwiseDistance(clean, clean, { metric: 'sqeuclidean' });
  const self = Int32Array.from({ length: rows }, (_, i) => i);
  return { distances: values, rows, cols: rows, queryLabels: labels, labels, self };
}
