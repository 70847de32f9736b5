export { type AttackResult, type EvaluationReport, evaluate } from './evaluate.js';
export type { EvaluationManifest } from './manifest.js';
export type { EvaluateOptions } from './options.js';
export type { EvaluationProgress } from './progress.js';
export type { PartialResult } from './protocols/partial.js';
export type { PerSampleWorst } from './protocols/per-sample.js';
export type { RecallList, RecallResult } from './protocols/recall.js';
export type { TransferMatrix } from './protocols/transfer.js';
export { evaluateRanking, type RankingOptions, type RankingReport } from './ranking.js';
export type { SanityCheck } from './sanity.js';
export {
  type ClusterMetric,
  type ClusterScores,
  METRICS,
  type MetricName,
  type Scores,
} from './scores.js';
export { type AttackPlan, type SuiteName, type SuiteOptions, suite } from './suites/index.js';
