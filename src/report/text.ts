import { z } from 'zod';
import { printable } from '../errors.js';
import type { EvaluationReport, MetricName } from '../evaluation/index.js';
import { parseOptions } from '../options.js';
import { radiusText } from '../radius-text.js';
import { checkChecks, checkComparison, checkManifest, checkReport } from './checks.js';
import { alignLeft, alignRight, grouped, ruled } from './columns.js';
import { type Comparison, compare, METRIC_TITLES, missingOf } from './comparison.js';
import { scoreText, worstText } from './score-text.js';
import { sections, worstIntervals } from './sections.js';

/** Methods side by side: failed checks first, then the worst case in one line each, then condition by condition. */
export function comparisonText(comparison: Comparison): string {
  checkComparison(comparison);
  const { metrics, conditions, methods } = comparison;
  const headline = methods.map(({ method, values, worstBy }) => {
    const scores = metrics.map((m) => `${METRIC_TITLES[m]} ${worstText(values[m].at(-1)!, worstBy[m])}`);
    return [`${method}:`, ...scores];
  });
  const spans = metrics.map((metric) => METRIC_TITLES[metric]);
  const head = ['', ...metrics.flatMap(() => methods.map(({ method }) => method))];
  const body = conditions.map((condition, row) => [
    condition,
    ...metrics.flatMap((metric) => methods.map(({ values }) => scoreText(values[metric][row]))),
  ]);
  const { failed, others } = byOutcome(methods);
  return [
    ...failed.map(({ method, checks }) => `${method}: ${checksText(checks)}`),
    `Worst case over ${conditions.slice(0, -1).length} conditions, and the one that gave it:`,
    ...alignLeft(headline).map((line) => `  ${line}`),
    ...others.map(({ method, checks }) => `${method}: ${checksText(checks)}`),
    ...methods.flatMap(({ method, missing = [] }) => missing.map((line) => `${method}: ${line}`)),
    '',
    ...grouped(spans, methods.length, [head, ...body]),
  ].join('\n');
}

const reportTextOptions = z.strictObject({
  perClass: z.boolean().default(false).describe('also every class by itself'),
});

export type ReportTextOptions = z.input<typeof reportTextOptions>;

/** One evaluation, all its metrics, and what the figures depend on. */
export function reportText(report: EvaluationReport, options: ReportTextOptions = {}): string {
  checkReport(report);
  const { perClass } = parseOptions(reportTextOptions, options);
  const metrics = Object.keys(METRIC_TITLES) as MetricName[];
  const { conditions, methods } = compare([{ method: 'ensemble', report }], metrics);
  const [{ values }] = methods;
  const head = ['', ...metrics.map((metric) => METRIC_TITLES[metric])];
  const body = conditions.map((condition, row) => [condition, ...metrics.map((m) => scoreText(values[m][row]))]);
  const { worst, manifest } = report;
  const headline = (['nmi', 'recallAt1'] as const).map(
    (m) => `${METRIC_TITLES[m]} ${worstText(worst.scores[m], worst.by[m])}`,
  );
  const { recallAt1, nearestMean } = report.perSample;
  const figures = [
    `Worst case: ${headline.join(', ')}`,
    ...worstIntervals(report),
    `Per sample, under no attack lost: Recall@1 ${scoreText(recallAt1)}, nearest class mean ${scoreText(nearestMean)}`,
  ];
  const checks = checksText(report.checks);
  return [
    ...(hasFailed(report.checks) ? [checks, ...figures] : [...figures, checks]),
    ...missingOf(report, metrics),
    '',
    ...ruled(alignRight([head, ...body])),
    ...sections(report, perClass),
    '',
    manifestText(manifest),
  ].join('\n');
}

/** One line where all is well; else what is wrong or could not be checked, a line each. */
export function checksText(checks: EvaluationReport['checks']): string {
  checkChecks(checks);
  const failed = checks.filter(({ passed }) => passed === false);
  const open = checks.filter(({ passed }) => passed === null);
  const reasons = [...new Set(open.map(({ detail }) => detail))];
  const notMade = reasons.map((why) => {
    const names = open.filter(({ detail }) => detail === why).map(({ name }) => name);
    return `  ${names.join(', ')}: ${why}`;
  });
  if (failed.length > 0) {
    const lines = failed.map(({ name, detail }) => `  ${name}: ${detail}`);
    const heading = `DO NOT TRUST THESE FIGURES: ${failed.length} of ${checks.length} sanity checks failed`;
    return [heading, ...lines, ...notMade].join('\n');
  }
  if (open.length === 0) return `sanity checks: all ${checks.length} passed`;
  return [`sanity checks: ${checks.length - open.length} of ${checks.length} passed`, ...notMade].join('\n');
}

export function hasFailed(checks: EvaluationReport['checks']): boolean {
  return checks.some(({ passed }) => passed === false);
}

/** Methods with a failed check, which come before any figure, and the others. */
function byOutcome(methods: Comparison['methods']) {
  return {
    failed: methods.filter(({ checks }) => hasFailed(checks)),
    others: methods.filter(({ checks }) => !hasFailed(checks)),
  };
}

/** What the figures depend on, in three lines; in one more, that they are not those of unseen data, or may not be. */
export function manifestText(m: EvaluationReport['manifest']): string {
  checkManifest(m);
  return [
    ...(m.seen ? [`MEASURED ON SEEN DATA: the ensemble was trained on ${seenText(m, m.seen)}`] : []),
    ...(m.network ? [foreignText(m.network)] : []),
    ...(m.leftOut ? [`without ${m.leftOut.length} broken images of the set: ${shortList(m.leftOut)}`] : []),
    `${m.samples} images of ${m.classes} classes of ${m.dataset} (sha256 ${m.dataHash.slice(0, 12)}), seed ${m.seed}`,
    `${m.norm} attacks, epsilon ${radiusText(m.epsilon)} (${m.epsilonSpace}), through all members at once`,
    `k-means with k = ${m.k}; retrieval: ${m.retrieval}; backend ${m.backend.name}`,
  ].join('\n');
}

/** The first five, and that there are more. */
function shortList(names: readonly string[]): string {
  return [...names.slice(0, 5), ...(names.length > 5 ? ['...'] : [])].join(', ');
}

/** Files have names that end lines. */
function foreignText({ kind, file, sha256 }: { kind: string; file: string; sha256: string }): string {
  const network = `${kind} of ${printable(file)} (sha256 ${sha256.slice(0, 12)})`;
  return `no run: the network ${network}; what it was trained on is not known, and these images may be among it`;
}

function seenText(m: EvaluationReport['manifest'], seen: { images: number; classes: number }): string {
  return `${seen.images} of the ${m.samples} images and ${seen.classes} of the ${m.classes} classes`;
}
