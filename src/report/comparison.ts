import { EatDmlError } from '../errors.js';
import type { EvaluationReport, MetricName, SanityCheck } from '../evaluation/index.js';
import { checkMethodResults, checkMetrics } from './checks.js';

/** One trained method and how it was measured. */
export interface MethodResult {
  method: string;
  report: EvaluationReport;
}

/** Methods side by side, as plain values: what the text and the HTML show and the JSON holds. */
export interface Comparison {
  metrics: MetricName[];
  /** `clean`, every attack by its name, and last `worst`: the lowest of all before it, per metric. */
  conditions: string[];
  methods: {
    method: string;
    /** For each metric one value per condition; null where it is not defined. */
    values: Record<string, (number | null)[]>;
    /** For each metric the condition that gave the worst value. */
    worstBy: Record<string, string | null>;
    checks: SanityCheck[];
    /** What is n/a or was not run, and why, a sentence each; absent where nothing is. */
    missing?: string[];
  }[];
}

/** How a reader knows the metrics. */
export const METRIC_TITLES: Record<MetricName, string> = {
  nmi: 'NMI',
  ami: 'AMI',
  ari: 'ARI',
  f1: 'F1',
  purity: 'Purity',
  recallAt1: 'Recall@1',
  recallAt2: 'Recall@2',
  recallAt4: 'Recall@4',
  recallAt8: 'Recall@8',
  mapAtR: 'MAP@R',
  rPrecision: 'R-prec.',
};

/** Clustering by two measures and retrieval by one. */
const HEADLINE: MetricName[] = ['nmi', 'f1', 'recallAt1'];

/** Lines up reports made under the same attacks; ERR_ARGUMENT when there is none or their attacks differ. */
export function compare(results: readonly MethodResult[], metrics: MetricName[] = HEADLINE): Comparison {
  checkMetrics(metrics, Object.keys(METRIC_TITLES));
  checkMethodResults(results, metrics);
  const conditions = conditionsOf(results[0].report);
  for (const { method, report } of results) {
    const own = conditionsOf(report);
    if (own.join() === conditions.join()) continue;
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${method} to be measured under ${conditions} but received ${own}.`);
  }
  return {
    metrics,
    conditions,
    methods: results.map(({ method, report }) => {
      const scores = [report.clean, ...report.attacks.map((attack) => attack.scores), report.worst.scores];
      const values = metrics.map((metric) => [metric, scores.map((score) => score[metric])]);
      const worstBy = metrics.map((metric) => [metric, report.worst.by[metric]]);
      const missing = missingOf(report, metrics);
      return {
        method,
        values: Object.fromEntries(values),
        worstBy: Object.fromEntries(worstBy),
        checks: report.checks,
        ...(missing.length > 0 && { missing }),
      };
    }),
  };
}

/** Why values of a report are null, a sentence for each reason: the metrics, and the attacks that could not be made. */
export function missingOf({ notDefined, attacks }: EvaluationReport, metrics: readonly MetricName[]): string[] {
  // A report of an earlier version has no such list, and nothing that is null.
  const undefinedHere = metrics.map((metric) => [METRIC_TITLES[metric], notDefined?.[metric]] as const);
  const notRun = attacks.map((attack) => [attack.name, attack.notRun] as const);
  return [...byReason(undefinedHere, 'n/a'), ...byReason(notRun, 'not run')];
}

/** "A, B not run: why" */
function byReason(list: readonly (readonly [name: string, why: string | undefined])[], verdict: string): string[] {
  const reasons = new Set(list.map(([, why]) => why).filter((why) => why !== undefined));
  return [...reasons].map((reason) => {
    const names = list.filter(([, why]) => why === reason).map(([name]) => name);
    return `${names.join(', ')} ${verdict}: ${reason}`;
  });
}

function conditionsOf({ attacks }: EvaluationReport): string[] {
  return ['clean', ...attacks.map(({ name }) => name), 'worst'];
}
