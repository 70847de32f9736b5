import type { EvaluationReport, MetricName } from '../../../evaluation/index.js';
import { METRIC_TITLES } from '../../comparison.js';
import { scoreText } from '../../score-text.js';
import { bars } from '../charts.js';
import { html, type Markup } from '../markup.js';
import { ALL_METRICS, conditionsOf } from '../scores.js';
import { table } from '../table.js';

const CHARTS: MetricName[] = ['nmi', 'recallAt1', 'f1'];

/** Every attack: its scores, and what it took. The lowest of each column is marked. */
export async function attacksSection(report: EvaluationReport): Promise<Markup> {
  const conditions = conditionsOf(report);
  const charts = CHARTS.map((metric) =>
    bars(
      METRIC_TITLES[metric],
      conditions.map(({ name, scores, intervals }) => {
        return { name, value: scores[metric], interval: intervals?.[metric], series: name === 'clean' ? 0 : 1 };
      }),
    ),
  );
  return html`<div class="charts">${await Promise.all(charts)}</div>
${attacksTable(report)}${composition(report)}`;
}

export function attacksTable(report: EvaluationReport, of = ''): Markup {
  const score = (name: string, scores: EvaluationReport['clean'], metric: MetricName) =>
    report.worst.by[metric] === name
      ? html`<strong class="lowest">▼ ${scoreText(scores[metric])}</strong>`
      : scoreText(scores[metric]);
  const columns = [
    { title: 'condition', text: true, wide: true },
    ...ALL_METRICS.map((metric) => ({ title: METRIC_TITLES[metric] })),
    { title: 'objective', text: true, wide: true },
    { title: 'steps' },
    { title: 'restarts' },
    { title: 'seconds' },
  ];
  const clean = ['clean', ...ALL_METRICS.map((metric) => score('clean', report.clean, metric)), '–', '–', '–', '–'];
  const rows = report.attacks.map(({ name, scores, objective, settings, seconds, notRun }) => {
    const { steps, restarts } = (settings ?? {}) as { steps?: number; restarts?: number };
    const how = notRun === undefined ? objective : `not run: ${notRun}`;
    const cells = ALL_METRICS.map((metric) => score(name, scores, metric));
    return [name, ...cells, how, steps ?? '–', restarts ?? '–', seconds.toFixed(1)];
  });
  return table(`Every attack${of}; ▼ is the worst case of its column`, columns, [clean, ...rows]);
}

/** What the composite takes its images from. */
function composition({ attacks }: EvaluationReport): Markup {
  const from = attacks.find((attack) => attack.from)?.from;
  if (!from) return html``;
  const shares = Object.entries(from).filter(([, share]) => share > 0);
  const text = shares.map(([name, share]) => `${(100 * share).toFixed(1)}% ${name}`).join(', ');
  return html`<p>The composite takes each image from the set where that does most; for clustering: ${text}.</p>`;
}
