import { EatDmlError } from '../errors.js';
import type { EvaluationReport } from '../evaluation/index.js';
import { radiusText } from '../radius-text.js';
import { checkRunResults, checkTableRows } from './checks.js';
import { type Estimate, estimateOf } from './statistics.js';

/** One trained and evaluated run, as `eat-dml sweep` leaves it. */
export interface RunResult {
  label: string;
  seed: number;
  /** `epochs`: as many as all; `compute`: as many as the reference's compute buys. */
  budget: string;
  /** Label of the run whose compute bought the epochs; only where the budget is `compute`. */
  reference?: string;
  /** File that it was read from, named in errors. */
  source?: string;
  history: { epochs: number; gradientEvaluations: number; seconds: number };
  report: EvaluationReport;
}

/** What a table shows of a run. */
export const TABLE_COLUMNS = [
  'cleanNmi',
  'cleanRecallAt1',
  'worstNmi',
  'worstAmi',
  'worstRecallAt1',
  'perSampleRecallAt1',
  'gradients',
] as const;

/** A column of the table of a sweep. */
export type TableColumn = (typeof TABLE_COLUMNS)[number];

/** One row of the table of a sweep: one method at one budget, over its seeds. */
export interface TableRow {
  label: string;
  budget: string;
  epochs: number;
  /** Runs, one per seed. */
  seeds: number;
  /** Of the seeds whose score is defined; null where none is. */
  values: Record<TableColumn, Estimate | null>;
  /** Sanity checks that failed in any of its runs. */
  failedChecks: string[];
}

export const TABLE_TITLES: Record<TableColumn, string> = {
  cleanNmi: 'NMI clean',
  cleanRecallAt1: 'R@1 clean',
  worstNmi: '**NMI worst**',
  worstAmi: 'AMI worst',
  worstRecallAt1: '**R@1 worst**',
  perSampleRecallAt1: 'R@1 per sample',
  gradients: 'compute (10⁶)',
};

/** The results with each reference's own runs among those at equal compute: they are what that compute buys it. */
export function withReferences(results: readonly RunResult[]): RunResult[] {
  checkRunResults(results);
  const references = new Set(results.map(({ reference }) => reference));
  const own = results.filter(({ label, budget }) => budget === 'epochs' && references.has(label));
  return [...results, ...own.map((result) => ({ ...result, budget: 'compute', reference: result.label }))];
}

/** What tables say of their figures. */
export const INTERVALS = 'mean over seeds ± half of its 95% interval, Student’s t';

/** Budgets in the order of their tables. */
export function budgetsOf(rows: readonly { budget: string }[]): string[] {
  return [...new Set(rows.map(({ budget }) => budget))].sort((a, b) => b.localeCompare(a));
}

/** Runs of the same label and budget in one row, best worst-case NMI first. Their evaluations must be comparable. */
export function tableRows(results: readonly RunResult[]): TableRow[] {
  checkRunResults(results);
  checkComparable(results);
  const groups = new Map<string, RunResult[]>();
  for (const result of results) {
    const key = `${result.budget}\n${result.label}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  const rows = [...groups.values()].map(rowOf);
  return rows.sort((a, b) => meanOf(b) - meanOf(a));
}

/** Worst-case NMI, below all others where it is not defined. */
function meanOf({ values: { worstNmi } }: TableRow): number {
  return worstNmi?.mean ?? -Number.MAX_VALUE;
}

function rowOf(group: RunResult[]): TableRow {
  const [{ label, budget, history }] = group;
  const of = (value: (result: RunResult) => number | null) => estimateOf(group.map(value));
  const failed = group.flatMap(({ report }) =>
    report.checks.filter(({ passed }) => passed === false).map(({ name }) => name),
  );
  return {
    label,
    budget,
    epochs: history.epochs,
    seeds: group.length,
    values: {
      cleanNmi: of(({ report }) => report.clean.nmi),
      cleanRecallAt1: of(({ report }) => report.clean.recallAt1),
      worstNmi: of(({ report }) => report.worst.scores.nmi),
      worstAmi: of(({ report }) => report.worst.scores.ami),
      worstRecallAt1: of(({ report }) => report.worst.scores.recallAt1),
      perSampleRecallAt1: of(({ report }) => report.perSample.recallAt1),
      gradients: of((result) => result.history.gradientEvaluations / 1e6),
    },
    failedChecks: [...new Set(failed)],
  };
}

/** Same data set, size, k, norm, radius and attacks: else the rows of a table would not say the same thing. */
function checkComparable(results: readonly RunResult[]): void {
  const conditionsOf = ({ report: { manifest, attacks } }: RunResult) =>
    JSON.stringify([
      manifest.dataset,
      manifest.samples,
      manifest.k,
      manifest.norm,
      radiusText(manifest.epsilon),
      attacks.map((a) => a.name),
    ]);
  const [first, ...others] = results;
  if (!first) throw new EatDmlError('ERR_DATA', 'Expected at least one result but received none.');
  const odd = others.find((result) => conditionsOf(result) !== conditionsOf(first));
  if (!odd) return;
  const [mine, theirs] = [odd, first].map(({ source, label }) => source ?? label);
  const message = `Expected ${mine} to be evaluated as ${theirs}, ${conditionsOf(first)}, but received ${conditionsOf(odd)}.`;
  throw new EatDmlError('ERR_DATA', message);
}

/**
 * Rows as Markdown, one table per budget; the mean over seeds ± half of its 95% interval by Student's t. Whose sanity checks failed comes
 * before any figure.
 */
export function tableMarkdown(rows: readonly TableRow[]): string {
  checkTableRows(rows, TABLE_COLUMNS);
  const failed = rows.filter(({ failedChecks }) => failedChecks.length > 0);
  const warnings = failed.map(({ label, budget, failedChecks }) => {
    return `**DO NOT TRUST THE FIGURES of ${label} at equal ${budget}: failed ${failedChecks.join(', ')}**`;
  });
  const tables = budgetsOf(rows).map((budget) => {
    const own = rows.filter((row) => row.budget === budget);
    const head = ['method', 'epochs', ...TABLE_COLUMNS.map((column) => TABLE_TITLES[column]), 'seeds', 'checks'];
    const body = own.map((row) => [
      row.label,
      String(row.epochs),
      ...TABLE_COLUMNS.map((column) => estimateCell(row.values[column])),
      String(row.seeds),
      row.failedChecks.length === 0 ? 'passed' : `**failed: ${row.failedChecks.join(', ')}**`,
    ]);
    return [`At equal ${budget} (${INTERVALS}):`, '', ...markdownTable(head, body)].join('\n');
  });
  return [...warnings, ...tables].join('\n\n');
}

export function markdownTable(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
}

export function estimateCell(value: Estimate | null): string {
  if (value === null) return 'n/a';
  const { mean, high, n } = value;
  const digits = mean >= 10 ? 1 : 3;
  return n > 1 ? `${mean.toFixed(digits)} ± ${(high - mean).toFixed(digits)}` : mean.toFixed(digits);
}
