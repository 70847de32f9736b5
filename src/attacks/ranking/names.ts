import { z } from 'zod';

/** RobRank's ten measures come from these nine attacks (ES gives two). */
export const RANKING_NAMES = ['CA+', 'CA-', 'QA+', 'QA-', 'TMA', 'ES', 'LTM', 'GTM', 'GTT'] as const;

export type RankingName = (typeof RANKING_NAMES)[number];

export const rankingName = z.enum(RANKING_NAMES);
