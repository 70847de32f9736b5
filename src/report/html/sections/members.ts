import type { EvaluationReport, PartialResult, TransferMatrix } from '../../../evaluation/index.js';
import { scoreText } from '../../score-text.js';
import { html, type Markup } from '../markup.js';
import { table } from '../table.js';

/** Attacks on one member measured on the others, and what an attack on some images does to the rest; undefined where a report has neither. */
export function membersSection({ transfer, partial }: EvaluationReport): Markup | undefined {
  if (!transfer && !partial) return undefined;
  return html`${transfer && transferTables(transfer)}${partial && spillOver(partial)}`;
}

function transferTables({ attack, nmi, recallAt1, notRun }: TransferMatrix): Markup {
  if (notRun !== undefined) return html`<p>Transfer between members was not measured: ${notRun}.</p>`;
  return html`<p>Rows: what the attack ${attack} was crafted on. Columns: what embedded the result. The smaller the harm, the more the
members differ.</p>
${heat('Transfer, NMI', nmi)}${heat('Transfer, Recall@1', recallAt1)}`;
}

function heat(caption: string, values: readonly (readonly (number | null)[])[]): Markup {
  const names = values.map((_, i) => (i === values.length - 1 ? 'ensemble' : `member ${i + 1}`));
  const rows = values.map((row, i) => [`on ${names[i]}`, ...row.map((value) => shade(value, scoreText(value)))]);
  return table(caption, [{ title: 'crafted', text: true }, ...names.map((title) => ({ title }))], rows);
}

/** A figure on a ground as dark as it is large, in steps; the figure itself is what counts. */
export function shade(value: number | null, text: string): Markup {
  const step = value === null ? 0 : Math.min(5, Math.max(0, Math.round(5 * value)));
  return html`<span class="shade s${step}">${text}</span>`;
}

function spillOver(results: readonly PartialResult[]): Markup {
  const columns = [
    { title: 'attack', text: true, wide: true },
    { title: 'share attacked' },
    { title: 'images' },
    { title: 'NMI of all' },
    { title: 'NMI of the rest' },
    { title: 'spill-over, NMI' },
    { title: 'spill-over, F1' },
  ];
  const rows = results.map(({ name, share, attacked, all, rest, spillOver: lost, notRun }) => [
    notRun === undefined ? name : `${name} (not run: ${notRun})`,
    `${(100 * share).toFixed(1)}%`,
    attacked,
    ...[all.nmi, rest.nmi, lost.nmi, lost.f1].map(scoreText),
  ]);
  return html`<p>A share of the images is attacked and clustered with the rest. Spill-over is what the rest loses that nobody touched.</p>
${table('Spill-over', columns, rows)}`;
}
