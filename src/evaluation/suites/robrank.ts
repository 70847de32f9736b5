import { objective } from '../../attacks/index.js';
import { RANKING_STEPS, rankingSettings } from '../ranking-settings.js';
import { plan, suitePart } from './plan.js';

export const robrankPart = suitePart(
  'robrank',
  'RobRank’s ten ranking measures under its nine attacks, and their mean, the ERS; clustering and retrieval under its ES, PGD ' +
    'of 32 steps from the clean image on embedding-shift',
  (given) => [plan(rankingSettings({ ...given, steps: RANKING_STEPS }), objective('embedding-shift'))],
);
