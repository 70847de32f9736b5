import type { MetricName } from '../../../evaluation/index.js';
import { METRIC_TITLES, missingOf } from '../../comparison.js';
import { scoreText } from '../../score-text.js';
import { type Estimate, estimateOf } from '../../statistics.js';
import { type Bar, bars } from '../charts.js';
import { html, type Markup } from '../markup.js';
import type { PageRun } from '../page-run.js';
import { type Interval, worstInterval } from '../scores.js';
import { table } from '../table.js';
import { attacksTable } from './attacks.js';
import { titleOf } from './checks.js';
import { pairedSection } from './paired.js';

const METRICS: MetricName[] = ['nmi', 'f1', 'recallAt1'];
const COLUMNS: MetricName[] = [...METRICS, 'mapAtR'];

/** Runs of one name: its seeds. */
export interface Group {
  name: string;
  runs: PageRun[];
}

export function groupsOf(runs: readonly PageRun[]): Group[] {
  const names = [...new Set(runs.map(({ name }) => name))];
  return names.map((name) => ({ name, runs: runs.filter((run) => run.name === name) }));
}

/** Methods side by side: the worst case and the clean images, mean over seeds with its interval. */
export async function compareSection(runs: readonly PageRun[]): Promise<Markup> {
  const groups = groupsOf(runs);
  const charts = METRICS.flatMap((metric) => [
    bars(
      `Worst ${METRIC_TITLES[metric]}`,
      groups.map((group, i) => worstBar(group, metric, i)),
    ),
    bars(
      `Clean ${METRIC_TITLES[metric]}`,
      groups.map((group, i) => cleanBar(group, metric, i)),
    ),
  ]);
  const missing = runs.flatMap(({ name, report }) =>
    missingOf(report, METRICS).map((line) => html`<li>${name}: ${line}</li>`),
  );
  return html`<p>The lowest score over the clean images and every attack is the figure that counts. Higher is better for the defender.
Intervals are 95%: by Student’s t over seeds where a method has several, else by bootstrap over images.</p>
${missing.length > 0 && html`<ul>${missing}</ul>`}
<div class="charts">${await Promise.all(charts)}</div>
${compareTable(groups)}${pairedSection(groups)}`;
}

function worstBar({ name, runs }: Group, metric: MetricName, series: number): Bar {
  const estimate = estimateOf(runs.map(({ report }) => report.worst.scores[metric]));
  const own = runs.length === 1 ? worstInterval(runs[0].report, metric) : null;
  return barOf(name, series, estimate, own);
}

function cleanBar({ name, runs }: Group, metric: MetricName, series: number): Bar {
  const estimate = estimateOf(runs.map(({ report }) => report.clean[metric]));
  const own = runs.length === 1 ? (runs[0].report.intervals?.[metric] ?? null) : null;
  return barOf(name, series, estimate, own);
}

function barOf(name: string, series: number, estimate: Estimate | null, own: Interval | null): Bar {
  // Of a score in [0, 1] no interval says more than its ends.
  const within = (value: number) => Math.min(1, Math.max(-1, value));
  const seeds = estimate && estimate.n > 1 ? ([within(estimate.low), within(estimate.high)] as const) : null;
  return { name, series, value: estimate?.mean ?? null, interval: seeds ?? own };
}

function compareTable(groups: readonly Group[]): Markup {
  const columns = [
    { title: 'method', text: true },
    ...COLUMNS.flatMap((metric) => [
      { title: `${METRIC_TITLES[metric]} clean` },
      { title: `${METRIC_TITLES[metric]} worst` },
    ]),
    { title: 'worst NMI by', text: true },
    { title: 'seeds' },
    { title: 'checks', text: true, wide: true },
  ];
  const rows = groups.map(({ name, runs }) => {
    const failed = runs.flatMap(({ report }) => report.checks.filter(({ passed }) => passed === false));
    const by = [...new Set(runs.map(({ report }) => report.worst.by.nmi ?? 'n/a'))].join(', ');
    const scores = COLUMNS.flatMap((metric) => [
      estimateText(estimateOf(runs.map(({ report }) => report.clean[metric]))),
      html`<strong>${estimateText(estimateOf(runs.map(({ report }) => report.worst.scores[metric])))}</strong>`,
    ]);
    const names = [...new Set(failed.map((check) => check.name))].join(', ');
    const outcome = names
      ? html`<span class="failed">✗ failed: ${names}</span>`
      : html`<span class="passed">✓ passed</span>`;
    return [name, ...scores, by, runs.length, outcome];
  });
  return table('Methods side by side: mean over seeds ± half of its 95% interval', columns, rows);
}

export function estimateText(estimate: Estimate | null): string {
  if (estimate === null) return 'n/a';
  const { mean, high, n } = estimate;
  return n > 1 ? `${scoreText(mean)} ± ${(high - mean).toFixed(3)}` : scoreText(mean);
}

/** Every condition of every run, a table each, as they are too many to stand side by side. */
export function everyRun(runs: readonly PageRun[], rest: (run: PageRun) => Markup): Markup {
  return html`${runs.map((run) => {
    const { report } = run;
    const title = titleOf(run);
    return html`<details><summary>${title}: worst NMI ${scoreText(report.worst.scores.nmi)}</summary>
${attacksTable(report, ` of ${title}`)}${rest(run)}</details>`;
  })}`;
}
