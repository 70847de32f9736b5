import { EatDmlError } from '../errors.js';
import { checkLabel, checkPairedRows, checkRunResults } from './checks.js';
import { type Estimate, estimateOf } from './statistics.js';
import { budgetsOf, estimateCell, INTERVALS, markdownTable, type RunResult, TABLE_TITLES } from './table.js';

/** What is compared; more is better in each. */
const COLUMNS = {
  worstNmi: ({ report }: RunResult) => report.worst.scores.nmi,
  worstAmi: ({ report }: RunResult) => report.worst.scores.ami,
  worstRecallAt1: ({ report }: RunResult) => report.worst.scores.recallAt1,
  cleanRecallAt1: ({ report }: RunResult) => report.clean.recallAt1,
};

type PairedColumn = keyof typeof COLUMNS;

/** How far one method is above another on the same seeds: same classes, batches and initial weights. */
export interface PairedRow {
  label: string;
  budget: string;
  /** The method of interest minus this one, over the seeds where both are defined; null where there is none. */
  differences: Record<PairedColumn, Estimate | null>;
  /** Seeds that both have. */
  seeds: number;
}

/**
 * `label` minus every other method of the same budget, paired by seed: what a seed does to all methods alike falls out. The
 * smallest difference of worst-case NMI first; methods without a seed in common are left out.
 */
export function pairedRows(results: readonly RunResult[], label: string): PairedRow[] {
  checkRunResults(results);
  checkLabel(label);
  const own = results.filter((result) => result.label === label);
  if (own.length === 0) throw new EatDmlError('ERR_DATA', `Expected results of ${label} but found none.`);
  const keys = new Set(results.filter((result) => result.label !== label).map((r) => `${r.budget}\n${r.label}`));
  const rows = [...keys].flatMap((key): PairedRow[] => {
    const [budget, other] = key.split('\n');
    const pairs = results
      .filter((theirs) => theirs.label === other && theirs.budget === budget)
      .map((theirs) => [own.find((mine) => mine.budget === budget && mine.seed === theirs.seed), theirs] as const)
      .filter((pair): pair is [RunResult, RunResult] => pair[0] !== undefined);
    if (pairs.length === 0) return [];
    const of = (column: PairedColumn) =>
      estimateOf(pairs.map(([a, b]) => difference(COLUMNS[column](a), COLUMNS[column](b))));
    const columns = Object.keys(COLUMNS) as PairedColumn[];
    const differences = Object.fromEntries(columns.map((column) => [column, of(column)])) as PairedRow['differences'];
    return [{ label: other, budget, differences, seeds: pairs.length }];
  });
  const least = ({ differences: { worstNmi } }: PairedRow) => worstNmi?.mean ?? Number.MAX_VALUE;
  return rows.sort((a, b) => least(a) - least(b));
}

function difference(mine: number | null, theirs: number | null): number | null {
  return mine === null || theirs === null ? null : mine - theirs;
}

/** {@link pairedRows} as Markdown, one table per budget, with 95% intervals by Student's t; bold where they exclude zero. */
export function pairedMarkdown(rows: readonly PairedRow[], label: string): string {
  checkPairedRows(rows, Object.keys(COLUMNS));
  checkLabel(label);
  const columns = Object.keys(COLUMNS) as PairedColumn[];
  const head = [`${label} minus`, ...columns.map((column) => TABLE_TITLES[column]), 'seeds'];
  return budgetsOf(rows)
    .map((budget) => {
      const body = rows
        .filter((row) => row.budget === budget)
        .map((row) => [
          row.label,
          ...columns.map((column) => differenceCell(row.differences[column])),
          String(row.seeds),
        ]);
      return [
        `Paired by seed, at equal ${budget} (${INTERVALS}; bold where it excludes zero):`,
        '',
        ...markdownTable(head, body),
      ].join('\n');
    })
    .join('\n\n');
}

function differenceCell(value: Estimate | null): string {
  const text = estimateCell(value);
  return value && (value.low > 0 || value.high < 0) ? `**${text}**` : text;
}
