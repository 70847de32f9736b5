import { z } from 'zod';

/** RobRank's ten measures come from these nine attacks (ES gives two). */
export const RANKING_NAMES = ['CA+', 'CA-', 'QA+', 'QA-', 'TMA', 'ES', 'LTM', 'GTM', 'GTT'] as const;

/** A measure of ranking under attack, as RobRank names them: CA+, QA-, TMA, ... */
export type RankingName = (typeof RANKING_NAMES)[number];

export const rankingName = z.enum(RANKING_NAMES);

const ERS_RULES = ['corrected', 'robrank'] as const;

/**
 * How ERS is measured: `corrected`, or `robrank`, which repeats three faults of RobRank's own code for comparison with the
 * tables that were published with it: LTM's nearest of the own class is the query itself as long as it is near, GTM takes a
 * place in the list of other classes for a gallery row, and ES:D is measured one step before the end.
 */
export type ErsRules = (typeof ERS_RULES)[number];

export const ersRules = z.enum(ERS_RULES);
