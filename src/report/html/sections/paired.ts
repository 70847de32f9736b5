import type { EvaluationReport } from '../../../evaluation/index.js';
import { type Estimate, estimateOf } from '../../statistics.js';
import { html, type Markup } from '../markup.js';
import { table } from '../table.js';
import type { Group } from './compare.js';

/** What is compared; more is better in each. */
const COLUMNS: [title: string, value: (report: EvaluationReport) => number | null][] = [
  ['worst NMI', ({ worst }) => worst.scores.nmi],
  ['worst Recall@1', ({ worst }) => worst.scores.recallAt1],
  ['clean NMI', ({ clean }) => clean.nmi],
  ['clean Recall@1', ({ clean }) => clean.recallAt1],
];

/** The method whose worst-case NMI is highest minus every other, seed by seed; nothing where no two have a seed in common. */
export function pairedSection(groups: readonly Group[]): Markup {
  const mean = ({ runs }: Group) => estimateOf(runs.map(({ report }) => report.worst.scores.nmi))?.mean ?? -Infinity;
  const [best, ...others] = [...groups].sort((a, b) => mean(b) - mean(a));
  const rows = others.flatMap((other) => {
    const pairs = pairsOf(best, other);
    if (pairs.length < 2) return [];
    const estimates = COLUMNS.map(([, value]) => estimateOf(pairs.map(([a, b]) => difference(value(a), value(b)))));
    return [[other.name, ...estimates.map(differenceText), pairs.length]];
  });
  if (rows.length === 0) return html``;
  const columns = [
    { title: `${best.name} minus`, text: true },
    ...COLUMNS.map(([title]) => ({ title })),
    { title: 'seeds' },
  ];
  return html`<p>Paired by seed, what a seed does to all methods alike falls out. Bold where the 95% interval excludes zero.</p>
${table(`${best.name} minus every other, paired by seed`, columns, rows)}`;
}

/** Reports on the same seed, which each has once. */
function pairsOf(mine: Group, theirs: Group): [EvaluationReport, EvaluationReport][] {
  const bySeed = new Map(mine.runs.map(({ report }) => [report.manifest.seed, report]));
  return theirs.runs.flatMap(({ report }): [EvaluationReport, EvaluationReport][] => {
    const own = bySeed.get(report.manifest.seed);
    return own ? [[own, report]] : [];
  });
}

function difference(mine: number | null, theirs: number | null): number | null {
  return mine === null || theirs === null ? null : mine - theirs;
}

function differenceText(estimate: Estimate | null): Markup {
  if (estimate === null) return html`n/a`;
  const { mean, low, high } = estimate;
  const text = `${mean >= 0 ? '+' : ''}${mean.toFixed(3)} ± ${(high - mean).toFixed(3)}`;
  return low > 0 || high < 0 ? html`<strong>${text}</strong>` : html`${text}`;
}
