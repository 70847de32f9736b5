export { type AttackResult, type EvaluateOptions, type EvaluationReport, evaluate } from './evaluate.js';
export type { EvaluationManifest } from './manifest.js';
export type { EvaluationProgress } from './progress.js';
export { METRICS, type MetricName, type Scores } from './scores.js';
export { type AttackPlan, type SuiteName, type SuiteOptions, suite } from './suites.js';
