import { z } from 'zod';
import { ersRules } from '../../attacks/ranking/names.js';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { type RankingReport, rankingOf } from '../ranking-measures.js';
import { RANKING_STEPS } from '../ranking-settings.js';
import type { Protocol } from './protocol.js';

export interface OfReport {
  /** RobRank's measures, where they were asked for. */
  ranking?: RankingReport;
}

const rankingOptions = z.strictObject({
  ranking: z
    .boolean()
    .default(false)
    .describe('RobRank’s ten measures and their mean, too (always in the suite robrank)'),
  ers: ersRules
    .default('corrected')
    .describe(
      'rules of those measures: robrank repeats the faults of RobRank’s own code, to compare with published tables',
    ),
});

export const rankingPart = part(
  'ranking',
  'RobRank’s ten measures: every image is query and candidate in the clean set itself',
  rankingOptions,
  (options): Protocol<object, OfReport> => {
    const { ranking, ers } = parseOptions(rankingOptions, options);
    return async ({ clean, attack, scoring, norm, epsilon, onProgress }) => {
      if (!ranking) return undefined;
      const { ensemble, data, batchSize, seed, signal } = attack;
      const run = { ensemble, data, batchSize, seed, signal, onProgress, sharing: scoring.sharing };
      const report = await rankingOf(run, clean.embeddings, { epsilon, norm, steps: RANKING_STEPS, ers });
      return { end: async () => ({ ranking: report }) };
    };
  },
);
