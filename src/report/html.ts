import { checkComparison, checkNotes } from './checks.js';
import { type Comparison, METRIC_TITLES } from './comparison.js';
import { scoreText } from './score-text.js';
import { hasFailed } from './text.js';

const COLOURS = ['#5b7fb5', '#d08a3e', '#3f8f5f', '#a8517a', '#7a6fb0', '#8a8a4a'];
const BAR = 14;
const LABELS = 230;
const WIDTH = 420;

/**
 * A page that needs nothing else: the sanity checks; then for every metric, bars of each method under each condition, the
 * worst case first.
 */
export function comparisonHtml(comparison: Comparison, notes: string): string {
  checkComparison(comparison);
  checkNotes(notes);
  const { metrics, methods } = comparison;
  const legend = methods.map(
    ({ method }, i) => `<span style="color:${colour(i)}">&#9632;</span> ${escapeHtml(method)}`,
  );
  const charts = metrics.map((metric) => `<h2>${METRIC_TITLES[metric]}</h2>\n${chart(comparison, metric)}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>eat-dml: clustering under attack</title>
<style>body{font:14px system-ui,sans-serif;margin:2em;max-width:760px}svg text{font:12px system-ui,sans-serif}.failed{color:#b00020;font-weight:bold}</style>
<h1>Clustering under attack</h1>
<h2>Sanity checks</h2>
${methods.map(checksOf).join('\n')}
<p>${legend.join(' &nbsp; ')}. Higher is better for the defender; the worst case is the figure that counts.</p>
${methods.flatMap(missingLines).join('\n')}
${charts.join('\n')}
<pre>${escapeHtml(notes)}</pre>
</html>
`;
}

type MethodColumn = Comparison['methods'][number];

/** Every check with what it measured, before any figure; failed ones stand out. */
function checksOf({ method, checks }: MethodColumn): string {
  const failed = hasFailed(checks);
  const verdict = failed ? ' <span class="failed">DO NOT TRUST THESE FIGURES</span>' : '';
  const items = checks.map(({ name, passed, detail }) => {
    const outcome = passed === null ? '' : passed ? 'passed, ' : '<span class="failed">failed</span>, ';
    return `<li>${escapeHtml(name)}: ${outcome}${escapeHtml(detail)}</li>`;
  });
  return `<p>${escapeHtml(method)}${verdict}</p>\n<ul>\n${items.join('\n')}\n</ul>`;
}

function missingLines({ method, missing = [] }: MethodColumn): string[] {
  return missing.map((line) => `<p>${escapeHtml(method)}: ${escapeHtml(line)}</p>`);
}

function chart({ conditions, methods }: Comparison, metric: string): string {
  const group = methods.length * BAR + 10;
  // The worst case, last in the data, is drawn first.
  const order = [conditions.length - 1, ...conditions.keys()].slice(0, conditions.length);
  const parts = order.flatMap((condition, row) => {
    const top = row * group;
    const name = conditions[condition];
    const weight = name === 'worst' ? ' font-weight="bold"' : '';
    const label = `<text x="${LABELS - 8}" y="${top + group / 2 + 1}" text-anchor="end"${weight}>${escapeHtml(name)}</text>`;
    return [label, ...methods.map(({ values }, i) => bar(values[metric][condition], i, top))];
  });
  const height = conditions.length * group;
  return `<svg width="${LABELS + WIDTH + 60}" height="${height}" role="img">\n${parts.join('\n')}\n</svg>`;
}

/** ami and ari may be below zero, and what is not defined has no length: no bar then, and the figure beside it. */
function bar(value: number | null, method: number, top: number): string {
  const y = top + 4 + method * BAR;
  const width = (Math.max(0, value ?? 0) * WIDTH).toFixed(1);
  const rect = `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR - 2}" fill="${colour(method)}"/>`;
  return `${rect}<text x="${LABELS + Number(width) + 4}" y="${y + 10}">${scoreText(value)}</text>`;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length];
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
