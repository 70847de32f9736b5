import { z } from 'zod';
import {
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
import { attackNorm, checkRadius, radius } from '../attacks/norm.js';
import { ersRules } from '../attacks/ranking/names.js';
import { type Dataset, type Source, sourceOf } from '../data/index.js';
import { type Matrix, pairwiseDistance } from '../kernels/index.js';
import type { Ensemble } from '../models/index.js';
import { count, parseOptions, seed, signal } from '../options.js';
import { randomStream } from '../random.js';
import { backendChoice, onBackend } from '../tfjs/index.js';
import { attackDataset } from './attack-dataset.js';
import { checkEvaluated } from './checks.js';
import { notDefinedOn, ONE_CLASS } from './defined.js';
import { checkUnseen } from './seen.js';
import { disposeContext, setContext } from './set-context.js';
import { checkUnitRows } from './unit-rows.js';

const rankingOptions = z
  .strictObject({
    epsilon: radius.default(0.1).describe('radius, in [0, 1] pixel units; RobRank takes 77/255 for 28 x 28 images'),
    norm: attackNorm.default('linf'),
    steps: count.default(32).describe('each of 3/77 of the radius, from the clean image'),
    ers: ersRules
      .default('corrected')
      .describe('robrank repeats the faults of RobRank’s own code, for comparison with published tables'),
    seed: seed.default(0),
    batchSize: count.default(128),
    allowSeen: z.boolean().default(false).describe('as of evaluate'),
    backend: backendChoice.default('auto'),
    signal: signal.optional(),
  })
  .check(checkRadius);

export type RankingOptions = z.input<typeof rankingOptions>;

/** A measure by its name in {@link RankingScores}. */
type Measure = keyof RankingScores;

export interface RankingReport {
  /** null where a measure is not defined on the images. */
  scores: Record<Measure, number | null>;
  /** Empirical robustness score, 0 to 100; null where one of its measures is. */
  ers: number | null;
  /** Why measures are null. */
  notDefined: Partial<Record<Measure, string>>;
}

/**
 * RobRank's evaluation (Zhou et al., "Enhancing adversarial robustness for deep metric learning", CVPR 2022) through the
 * whole ensemble: every image is query or candidate in the clean set, attacked with M = W = 1; ten measures and their
 * mean. Of all iterates the best is kept, where RobRank, and `ers: 'robrank'`, keeps the last. Errors as of `evaluate`.
 */
export async function evaluateRanking(
  ensemble: Ensemble,
  data: Source | Dataset,
  options: RankingOptions = {},
): Promise<RankingReport> {
  const settings = parseOptions(rankingOptions, options);
  checkEvaluated(ensemble, data);
  return onBackend(settings.backend, () => ranked(ensemble, sourceOf(data), settings));
}

async function ranked(
  ensemble: Ensemble,
  data: Source,
  { epsilon, norm, steps, ers: rules, seed, batchSize, allowSeen, signal }: z.output<typeof rankingOptions>,
): Promise<RankingReport> {
  await checkUnseen(ensemble, data, { allowSeen, signal });
  const clean = await ensemble.embed(data, { signal });
  checkUnitRows(ensemble, clean);
  const context = await setContext(clean, data.labels);
  const { labels } = context;
  const notDefined = notDefinedIn(labels);
  const ranking = await cleanRanking(clean, labels);
  const keep = rules === 'robrank' ? 'last' : 'best';
  const settings = pgd({ norm, epsilon, steps, stepSize: (3 / 77) * epsilon, randomStart: false, keep });
  const run = { ensemble, data, context, seed, batchSize, signal };
  try {
    const parts: Partial<RankingScores>[] = [];
    for (const name of RANKING_NAMES) {
      if (measuresNamed(name).every((measure) => measure in notDefined)) continue;
      const targets = selectTargets(name, ranking, randomStream(seed, 'ranking', name), rules);
      const plan = { name: `ranking/${name}`, objective: rankingObjective(name, targets, rules), settings };
      const attacked = await attackDataset({ ...run, plan });
      parts.push(await measuresOf(name, attacked, clean, ranking, targets));
      if (name !== 'ES' || rules !== 'robrank') continue;
      const shorter = { ...plan, settings: { ...settings, steps: steps - 1 } };
      const before = steps === 1 ? clean : await attackDataset({ ...run, plan: shorter });
      const { 'ES:D': shift } = await measuresOf(name, before, clean, ranking, targets);
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

function measuresOf(name: RankingName, attacked: Matrix, clean: Matrix, ranking: CleanRanking, targets: Int32Array) {
  return rankingMeasures(name, { attacked, clean, gallery: clean, ranking, targets });
}

async function cleanRanking(clean: Matrix, labels: Int32Array): Promise<CleanRanking> {
  const { rows } = clean;
  const { data: values } = await pairwiseDistance(clean, clean, { metric: 'sqeuclidean' });
  const self = Int32Array.from({ length: rows }, (_, i) => i);
  return { distances: values, rows, cols: rows, queryLabels: labels, labels, self };
}
