export type { CurvePoint, StepPoint } from './curve.js';
export { type AttackResult, type EvaluationReport, evaluate } from './evaluate.js';
export type {
  ClassInCluster,
  FoundImage,
  Gathered,
  GatheredSide,
  Picture,
  Pixels,
} from './gather/gathered.js';
export type { EvaluationManifest } from './manifest.js';
export type { EvaluateOptions } from './options.js';
export type { EvaluationProgress } from './progress.js';
export type { Intervals } from './protocols/intervals.js';
export type { PartialResult } from './protocols/partial.js';
export type { ClassMeasures, ClassScores } from './protocols/per-class.js';
export type { PerSampleWorst } from './protocols/per-sample.js';
export type { RecallList, RecallResult } from './protocols/recall.js';
export type { TransferMatrix } from './protocols/transfer.js';
export { evaluateRanking, type RankingOptions } from './ranking.js';
export type { RankingReport } from './ranking-measures.js';
export type { SanityCheck } from './sanity/checks.js';
export {
  type ClusterMetric,
  type ClusterScores,
  METRICS,
  type MetricName,
  type Scores,
} from './scores.js';
export { type AttackPlan, type SuiteName, type SuiteOptions, suite } from './suites/index.js';
