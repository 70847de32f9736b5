import { printable } from '../errors.js';
import type { EvaluationReport } from '../evaluation/index.js';
import { alignRight } from './columns.js';
import { METRIC_TITLES } from './comparison.js';
import { type Curve, radiusCurve, stepCurve } from './curves.js';
import { scoreText, worstText } from './score-text.js';
import { shortened } from './shortened.js';

/** Characters of a class's name in a table. */
const NAME = 32;

/** What a report has beside the table of its attacks, as lines: the list of Recall@K, the curves, RobRank's measures, classes. */
export function sections(report: EvaluationReport, perClass: boolean): string[] {
  const parts = [
    recallRows(report.recall),
    curveRows('worst at epsilon', radiusCurve(report)),
    curveRows('worst by steps', stepCurve(report)),
    rankingRows(report),
    perClass ? classRows(report) : [],
  ];
  return parts.filter((rows) => rows.length > 0).flatMap((rows) => ['', ...alignRight(rows)]);
}

/** The intervals of the worst case, where the report has them: those of the conditions that gave it. */
export function worstIntervals({ worst, intervals, attacks }: EvaluationReport): string[] {
  const texts = (['nmi', 'recallAt1'] as const).flatMap((metric) => {
    const by = worst.by[metric];
    const found = by === 'clean' ? intervals : attacks.find(({ name }) => name === by)?.intervals;
    const ends = found?.[metric];
    return ends ? [`${METRIC_TITLES[metric]} ${ends.map(scoreText).join(' to ')}`] : [];
  });
  return texts.length > 0 ? [`95% by bootstrap over images: ${texts.join(', ')}`] : [];
}

/** Recall@K for the list that was asked for, clean and in the worst case. */
function recallRows(recall: EvaluationReport['recall']): string[][] {
  if (!recall) return [];
  const list = Object.keys(recall.clean).map(Number);
  const row = (name: string, values: Record<number, number | null>) => [name, ...list.map((k) => scoreText(values[k]))];
  return [['', ...list.map((k) => `Recall@${k}`)], row('clean', recall.clean), row('worst', recall.worst)];
}

function curveRows(title: string, curve: Curve | undefined): string[][] {
  if (!curve) return [];
  const body = curve.points.map(({ text, scores, by }) => {
    return [text, worstText(scores.nmi, by.nmi), worstText(scores.recallAt1, by.recallAt1)];
  });
  return [[title, 'NMI', 'Recall@1'], ...body];
}

function rankingRows({ ranking }: EvaluationReport): string[][] {
  if (!ranking) return [];
  const measures = Object.entries(ranking.scores);
  const text = (value: number | null, digits: number) => (value === null ? 'n/a' : value.toFixed(digits));
  const values = measures.map(([name, value]) => text(value, name === 'TMA' || name === 'ES:D' ? 3 : 1));
  return [
    ['RobRank', ...measures.map(([name]) => name), 'ERS'],
    ['', ...values, text(ranking.ers, 1)],
  ];
}

/** None in a report of an earlier version. */
function classRows({ perClass = [], classNames }: Partial<EvaluationReport>): string[][] {
  if (perClass.length === 0) return [];
  const measures = ['recallAt1', 'mapAtR', 'bestClusterF1'] as const;
  const head = ['class', 'images', ...['Recall@1', 'MAP@R', 'F1 of best cluster'].flatMap((title) => [title, 'worst'])];
  const body = perClass.map(({ label, images, clean, worst }) => {
    const scores = measures.flatMap((measure) => [scoreText(clean[measure]), scoreText(worst[measure])]);
    return [shortened(printable(classNames?.[label] || String(label)), NAME), String(images), ...scores];
  });
  return [head, ...body];
}
