/** RobRank's attacks on a ranking, and its score. */
export { type ErsRules, RANKING_NAMES, type RankingName } from './names.js';
export { rankingObjective } from './objectives.js';
export { empiricalRobustnessScore, type RankingOutcome, type RankingScores, rankingMeasures } from './scores.js';
export { type CleanRanking, selectTargets } from './selections.js';
