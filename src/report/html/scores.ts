import type { EvaluationReport, MetricName } from '../../evaluation/index.js';
import { METRIC_TITLES } from '../comparison.js';

/** The ends of a 95% interval. */
export type Interval = readonly [low: number, high: number];

/** What is clean, and what is attacked, as one list of conditions. */
export interface Condition {
  name: string;
  scores: EvaluationReport['clean'];
  intervals?: EvaluationReport['intervals'];
}

/** Clean first, then every attack as the suite has them. */
export function conditionsOf({ clean, intervals, attacks }: EvaluationReport): Condition[] {
  return [{ name: 'clean', scores: clean, intervals }, ...attacks];
}

/** The interval of the worst case of a metric: that of the condition which gave it. */
export function worstInterval(report: EvaluationReport, metric: MetricName): Interval | null {
  const by = report.worst.by[metric];
  return conditionsOf(report).find(({ name }) => name === by)?.intervals?.[metric] ?? null;
}

/** All metrics, in the order of their tables. */
export const ALL_METRICS = Object.keys(METRIC_TITLES) as MetricName[];
