import { z } from 'zod';
import { attackNorm, checkRadius, radius } from '../attacks/norm.js';
import { ersRules } from '../attacks/ranking/names.js';
import { type Dataset, type Source, sourceOf } from '../data/index.js';
import type { Ensemble } from '../models/index.js';
import { sharingOf } from '../models/shared-ensemble.js';
import { count, parseOptions, seed, signal } from '../options.js';
import { backendChoice, onBackend } from '../tfjs/index.js';
import { checkEvaluated } from './checks.js';
import { type RankingReport, rankingOf } from './ranking-measures.js';
import { RANKING_STEPS } from './ranking-settings.js';
import { checkUnseen } from './seen.js';
import { checkUnitRows } from './unit-rows.js';

const rankingOptions = z
  .strictObject({
    epsilon: radius.default(0.1).describe('radius, in [0, 1] pixel units; RobRank takes 77/255 for 28 x 28 images'),
    norm: attackNorm.default('linf'),
    steps: count.default(RANKING_STEPS).describe('each of 3/77 of the radius, from the clean image'),
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

/** Options of {@link evaluateRanking}. */
export type RankingOptions = z.input<typeof rankingOptions>;

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
  settings: z.output<typeof rankingOptions>,
): Promise<RankingReport> {
  const { allowSeen, batchSize, seed, signal } = settings;
  await checkUnseen(ensemble, data, { allowSeen, signal });
  const clean = await ensemble.embed(data, { signal });
  checkUnitRows(ensemble, clean);
  const run = { ensemble, data, batchSize, seed, signal, sharing: sharingOf(ensemble) };
  return rankingOf(run, clean, settings);
}
