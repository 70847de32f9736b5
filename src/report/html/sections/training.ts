import { METRIC_TITLES } from '../../comparison.js';
import { type Line, lines, meanLines } from '../charts.js';
import { html, type Markup } from '../markup.js';
import type { PageHistory, PageRun } from '../page-run.js';

/** Of the scores under attack. */
const ATTACKED = /^attacked/;

type Trained = { name: string; history: PageHistory };

/** Loss, rate and validations of the runs that have them, mean over seeds; undefined where none has. */
export async function trainingSection(runs: readonly PageRun[]): Promise<Markup | undefined> {
  const trained = runs.flatMap(({ name, history }) =>
    history && history.losses.length > 0 ? [{ name, history }] : [],
  );
  if (trained.length === 0) return undefined;
  const charts = [
    lines(
      'Training loss',
      byEpoch(trained, ({ losses }) => losses),
      { x: 'epoch', y: 'loss' },
    ),
    lines(
      'Learning rate',
      byEpoch(trained, ({ learningRates = [] }) => learningRates),
      { x: 'epoch', y: 'rate' },
    ),
    ...(trained.length > 1 ? metricByMetric(trained) : validationCharts(trained[0].history)),
  ];
  return html`<div class="charts">${await Promise.all(charts)}</div>`;
}

function byEpoch(runs: readonly Trained[], values: (history: PageHistory) => readonly number[]): Line[] {
  const own = runs.map(({ name, history }) => {
    const list = values(history);
    // The rates of a run that an earlier version began are those of its last epochs.
    const before = history.losses.length - list.length;
    return { name, points: list.map((y, i) => ({ x: before + i + 1, y })) };
  });
  return meanLines(own);
}

/** Of one run: its scores in one chart, and those under attack in another. */
export function validationCharts(history: Pick<PageHistory, 'validations'>): Promise<Markup>[] {
  return [false, true].map((attacked) => {
    const metrics = metricsOf([history]).filter((metric) => ATTACKED.test(metric) === attacked);
    const own = metrics.map((metric) => ({ name: titleOf(metric), points: scoresOf(history, metric) }));
    return lines(attacked ? 'Validation under attack' : 'Validation', own, { x: 'epoch', y: 'score', score: true });
  });
}

/** Of several: a chart for each score, with a line for each run. */
function metricByMetric(runs: readonly Trained[]): Promise<Markup>[] {
  return metricsOf(runs.map(({ history }) => history)).map((metric) => {
    const own = runs.map(({ name, history }) => ({ name, points: scoresOf(history, metric) }));
    const title = `Validation, ${titleOf(metric)}${ATTACKED.test(metric) ? ' under attack' : ''}`;
    return lines(title, meanLines(own), { x: 'epoch', y: 'score', score: true });
  });
}

function metricsOf(histories: readonly Pick<PageHistory, 'validations'>[]): string[] {
  const scores = histories.flatMap(({ validations = [] }) => validations.flatMap((one) => Object.keys(one.scores)));
  return [...new Set(scores)];
}

function scoresOf({ validations = [] }: Pick<PageHistory, 'validations'>, metric: string): Line['points'] {
  return validations.map(({ epoch, scores }) => ({ x: epoch, y: scores[metric] ?? null }));
}

/** `attackedNmi`: NMI */
function titleOf(metric: string): string {
  const plain = metric.replace(ATTACKED, '');
  const name = `${plain.charAt(0).toLowerCase()}${plain.slice(1)}`;
  return (METRIC_TITLES as Record<string, string>)[name] ?? name;
}
