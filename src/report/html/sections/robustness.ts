import type { EvaluationReport, MetricName } from '../../../evaluation/index.js';
import { METRIC_TITLES } from '../../comparison.js';
import { type Curve, radiusCurve, stepCurve } from '../../curves.js';
import { worstText } from '../../score-text.js';
import { type Line, lines, meanLines } from '../charts.js';
import { html, type Markup } from '../markup.js';
import { table } from '../table.js';

const METRICS: MetricName[] = ['nmi', 'recallAt1'];

/** The worst case by radius and by steps, and attacks that differ in their steps alone; undefined where a report has none of these. */
export async function robustnessSection(report: EvaluationReport): Promise<Markup | undefined> {
  const curves = [radiusCurve(report), stepCurve(report)].filter((curve) => curve !== undefined);
  const steps = stepSeries(report);
  if (curves.length === 0 && steps.length === 0) return undefined;
  return html`${await Promise.all(curves.map(worstCurve))}${steps.length > 0 && (await bySteps(steps))}`;
}

async function worstCurve(curve: Curve): Promise<Markup> {
  const { axis, points } = curve;
  const charts = await Promise.all(METRICS.map((metric) => curveChart(metric, [{ name: 'worst', curve }])));
  const columns = [
    { title: axis, text: true },
    ...METRICS.map((metric) => ({ title: METRIC_TITLES[metric], text: true })),
  ];
  const rows = points.map(({ text, scores, by }) => [
    text,
    ...METRICS.map((metric) => worstText(scores[metric], by[metric])),
  ]);
  const title = axis === 'epsilon' ? 'Worst case by radius' : 'Worst case by steps';
  return html`<div class="charts">${charts}</div>
${table(`${title}, and the attack that gave it`, columns, rows)}`;
}

/** The curves of one metric along one axis, a line for each run. */
export function curveChart(metric: MetricName, runs: readonly { name: string; curve: Curve }[]): Promise<Markup> {
  const given = runs.map(({ name, curve }) => {
    return { name, points: curve.points.map(({ x, scores }) => ({ x, y: scores[metric] })) };
  });
  const [{ curve }] = runs;
  const axes = { x: curve.axis, y: 'worst case', score: true };
  return lines(`${METRIC_TITLES[metric]} against ${curve.axis}`, meanLines(given), axes);
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
    return lines(`${title} against steps, attack by attack`, linesOf(metric), { x: 'steps', y: title, score: true });
  });
  return html`<div class="charts">${await Promise.all(charts)}</div>`;
}
