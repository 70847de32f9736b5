import type { EvaluationReport, MetricName } from '../../../evaluation/index.js';
import { METRIC_TITLES, missingOf } from '../../comparison.js';
import { scoreText } from '../../score-text.js';
import { html, type Markup } from '../markup.js';
import { ALL_METRICS, worstInterval } from '../scores.js';
import { table } from '../table.js';

/** Clustering by two measures and retrieval by two. */
const TILES: MetricName[] = ['nmi', 'f1', 'recallAt1', 'mapAtR'];

/** The headline: the lowest of every metric, and what gave it. */
export function worstSection(report: EvaluationReport): Markup {
  const columns = [
    { title: 'metric', text: true },
    { title: 'clean' },
    { title: 'worst' },
    { title: '95% interval' },
    { title: 'given by', text: true },
  ];
  const rows = ALL_METRICS.map((metric) => [
    METRIC_TITLES[metric],
    scoreText(report.clean[metric]),
    html`<strong>${scoreText(report.worst.scores[metric])}</strong>`,
    intervalText(worstInterval(report, metric)),
    report.worst.by[metric] ?? 'n/a',
  ]);
  const missing = missingOf(report, ALL_METRICS).map((line) => html`<li>${line}</li>`);
  return html`<div class="tiles">${TILES.map((metric) => tile(report, metric))}</div>
<p>The lowest score over the clean images and every attack is the figure that counts. Higher is better for the defender. Intervals are
95% by bootstrap over images, of the condition that gave the worst case.</p>
${missing.length > 0 && html`<ul>${missing}</ul>`}
${table('Worst case of every metric', columns, rows)}`;
}

function tile(report: EvaluationReport, metric: MetricName): Markup {
  const interval = worstInterval(report, metric);
  const { worst, clean } = report;
  return html`<div class="tile"><h3>${METRIC_TITLES[metric]}</h3><p class="score">${scoreText(worst.scores[metric])}</p>
<p>${interval && html`95%: ${intervalText(interval)}<br>`}clean ${scoreText(clean[metric])}<br>by <b>${worst.by[metric] ?? 'n/a'}</b></p></div>`;
}

export function intervalText(interval: readonly [number, number] | null): string {
  return interval ? interval.map(scoreText).join(' to ') : '–';
}
