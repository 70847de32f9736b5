import type { EvaluationReport } from '../../../evaluation/index.js';
import { scoreText } from '../../score-text.js';
import { bars } from '../charts.js';
import { classCell } from '../class-title.js';
import { html, type Markup } from '../markup.js';
import { table } from '../table.js';

/** Classes that the page lists; a report has all. */
const CLASSES = 200;

/** What no attack moved, what clean clusters make of attacked images, and every class by itself. */
export async function samplesSection(report: EvaluationReport): Promise<Markup> {
  const { recallAt1, nearestMean } = report.perSample;
  const survival = await bars('Survive every attack', [
    { name: 'Recall@1', value: recallAt1 },
    { name: 'nearest class mean', value: nearestMean },
  ]);
  const measured = report.attacks.filter(({ inductive }) => inductive !== undefined);
  const inductive = measured.map(({ name, inductive }) => ({ name, value: inductive.nmi, series: 1 }));
  const charts = [survival, ...(inductive.length > 0 ? [await bars('Inductive NMI', inductive)] : [])];
  return html`<p>Per sample: the share of images that every attack of the suite leaves where they belong. Inductive: attacked images are
assigned to clusters that were found on clean ones.</p>
<div class="charts">${charts}</div>
${inductiveTable(report)}${recallTable(report)}${rankingTable(report)}${classTable(report)}`;
}

function inductiveTable({ attacks }: EvaluationReport): Markup {
  const metrics = ['nmi', 'ami', 'ari', 'f1', 'purity'] as const;
  const columns = [
    { title: 'attack', text: true, wide: true },
    ...['NMI', 'AMI', 'ARI', 'F1', 'Purity'].map((title) => ({ title })),
  ];
  const rows = attacks
    .filter(({ inductive }) => inductive !== undefined)
    .map(({ name, inductive }) => [name, ...metrics.map((metric) => scoreText(inductive[metric]))]);
  return rows.length > 0 ? table('Inductive scores', columns, rows) : html``;
}

function recallTable({ recall }: EvaluationReport): Markup {
  if (!recall) return html``;
  const list = Object.keys(recall.clean).map(Number);
  const columns = [{ title: 'images', text: true }, ...list.map((k) => ({ title: `Recall@${k}` }))];
  const rows = (['clean', 'worst'] as const).map((name) => [name, ...list.map((k) => scoreText(recall[name][k]))]);
  return table('Recall@K', columns, rows);
}

function rankingTable({ ranking }: EvaluationReport): Markup {
  if (!ranking) return html``;
  const measures = Object.entries(ranking.scores);
  const text = (value: number | null, digits: number) => (value === null ? 'n/a' : value.toFixed(digits));
  const columns = [{ title: 'measure', text: true }, ...measures.map(([title]) => ({ title })), { title: 'ERS' }];
  const values = measures.map(([name, value]) => text(value, name === 'TMA' || name === 'ES:D' ? 3 : 1));
  return table('RobRank’s measures', columns, [['score', ...values, text(ranking.ers, 1)]]);
}

/** None in a report of an earlier version. */
function classTable({ perClass = [], classNames }: Partial<EvaluationReport>): Markup {
  if (perClass.length === 0) return html``;
  const measures = ['recallAt1', 'mapAtR', 'bestClusterF1'] as const;
  const titles = ['Recall@1', 'MAP@R', 'F1 of best cluster'].flatMap((title) => [title, `${title}, worst`]);
  const columns = [{ title: 'class', text: true }, ...['images', ...titles].map((title) => ({ title }))];
  const hardest = [...perClass].sort((a, b) => (a.worst.recallAt1 ?? 0) - (b.worst.recallAt1 ?? 0)).slice(0, CLASSES);
  const rows = hardest.map(({ label, images, clean, worst }) => [
    classCell(label, classNames),
    images,
    ...measures.flatMap((measure) => [scoreText(clean[measure]), scoreText(worst[measure])]),
  ]);
  const more = perClass.length > rows.length && html`<p>The ${rows.length} hardest of ${perClass.length} classes.</p>`;
  return html`${table('Every class by itself, the hardest first', columns, rows)}${more}`;
}
