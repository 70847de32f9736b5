import { type Comparison, METRIC_TITLES } from './comparison.js';

const COLOURS = ['#5b7fb5', '#d08a3e', '#3f8f5f', '#a8517a', '#7a6fb0', '#8a8a4a'];
const BAR = 14;
const LABELS = 230;
const WIDTH = 420;

/** A page that needs nothing else: for every metric, bars of each method under each condition, the worst case first. */
export function comparisonHtml(comparison: Comparison, notes: string): string {
  const { metrics, methods } = comparison;
  const legend = methods.map(
    ({ method }, i) => `<span style="color:${colour(i)}">&#9632;</span> ${escapeHtml(method)}`,
  );
  const charts = metrics.map((metric) => `<h2>${METRIC_TITLES[metric]}</h2>\n${chart(comparison, metric)}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>eat-dml: clustering under attack</title>
<style>body{font:14px system-ui,sans-serif;margin:2em;max-width:760px}svg text{font:12px system-ui,sans-serif}</style>
<h1>Clustering under attack</h1>
<p>${legend.join(' &nbsp; ')}. Higher is better for the defender; the worst case is the figure that counts.</p>
${charts.join('\n')}
<pre>${escapeHtml(notes)}</pre>
</html>
`;
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

/** ami and ari may be below zero: no bar then, and the figure beside it. */
function bar(value: number, method: number, top: number): string {
  const y = top + 4 + method * BAR;
  const width = (Math.max(0, value) * WIDTH).toFixed(1);
  const rect = `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR - 2}" fill="${colour(method)}"/>`;
  return `${rect}<text x="${LABELS + Number(width) + 4}" y="${y + 10}">${value.toFixed(3)}</text>`;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length];
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
