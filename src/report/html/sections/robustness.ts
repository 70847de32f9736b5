import type { CurvePoint, EvaluationReport, MetricName } from '../../../evaluation/index.js';
import { radiusText } from '../../../radius-text.js';
import { METRIC_TITLES } from '../../comparison.js';
import { worstText } from '../../score-text.js';
import { type Line, lines, meanLines } from '../charts.js';
import { html, type Markup } from '../markup.js';
import { table } from '../table.js';

const METRICS: MetricName[] = ['nmi', 'recallAt1'];

/** The worst case by radius, and attacks that differ in their steps alone; undefined where a report has neither. */
export async function robustnessSection(report: EvaluationReport): Promise<Markup | undefined> {
  const steps = stepSeries(report);
  if (!report.curve && steps.length === 0) return undefined;
  return html`${report.curve && (await radii(report.curve))}${steps.length > 0 && (await bySteps(steps))}`;
}

async function radii(curve: readonly CurvePoint[]): Promise<Markup> {
  const charts = await Promise.all(METRICS.map((metric) => curveChart(metric, [{ name: 'worst', curve }])));
  const columns = [
    { title: 'epsilon', text: true },
    ...METRICS.map((metric) => ({ title: METRIC_TITLES[metric], text: true })),
  ];
  const rows = curve.map(({ epsilon, scores, by }) => [
    radiusText(epsilon),
    ...METRICS.map((metric) => worstText(scores[metric], by[metric])),
  ]);
  return html`<div class="charts">${charts}</div>
${table('Worst case by radius, and the attack that gave it', columns, rows)}`;
}

/** The curves of one metric, a line for each run. */
export function curveChart(
  metric: MetricName,
  runs: readonly { name: string; curve: readonly CurvePoint[] }[],
): Promise<Markup> {
  const given = runs.map(({ name, curve }) => {
    return { name, points: curve.map(({ epsilon, scores }) => ({ x: epsilon, y: scores[metric] })) };
  });
  const axes = { x: 'epsilon', y: 'worst case', score: true };
  return lines(`${METRIC_TITLES[metric]} against epsilon`, meanLines(given), axes);
}

type Series = { name: string; attacks: { steps: number; scores: EvaluationReport['clean'] }[] };

/** Attacks on one objective by one rule, where there are some of different steps. */
function stepSeries({ attacks }: EvaluationReport): Series[] {
  const groups = new Map<string, Series>();
  for (const { objective, settings, scores, notRun } of attacks) {
    const { name, steps } = (settings ?? {}) as { name?: string; steps?: number };
    if (steps === undefined || notRun !== undefined) continue;
    const key = `${name ?? 'attack'} ${objective}`;
    const group = groups.get(key) ?? { name: key, attacks: [] };
    group.attacks.push({ steps, scores });
    groups.set(key, group);
  }
  return [...groups.values()].filter((group) => new Set(group.attacks.map(({ steps }) => steps)).size > 1);
}

async function bySteps(series: readonly Series[]): Promise<Markup> {
  const linesOf = (metric: MetricName) =>
    series.map(({ name, attacks }): Line => {
      const ordered = [...attacks].sort((a, b) => a.steps - b.steps);
      return { name, points: ordered.map(({ steps, scores }) => ({ x: steps, y: scores[metric] })) };
    });
  const charts = METRICS.map((metric) => {
    const title = METRIC_TITLES[metric];
    return lines(`${title} against steps`, linesOf(metric), { x: 'steps', y: title, score: true });
  });
  return html`<div class="charts">${await Promise.all(charts)}</div>`;
}
