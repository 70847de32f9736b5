import type { ClassNames } from '../../../class-names.js';
import type { ClassInCluster, Gathered } from '../../../evaluation/index.js';
import { classCell } from '../class-title.js';
import { html, type Markup } from '../markup.js';
import { table } from '../table.js';
import { shade } from './members.js';

/** Classes and clusters that a table shows: the largest. */
const MOST = 20;

/** How k-means shares out the classes, clean and under the attack. */
export function clustersSection(gathered: Gathered, names?: ClassNames): Markup {
  const {
    attack,
    table: { clean, attacked },
  } = gathered;
  return html`<p>Rows are classes, columns clusters, ordered so that each class's own cluster comes on the diagonal as far as there is one.
Figures are images of the whole set.</p>
<div class="pair">${clusterTable('Clusters of clean images', clean, names)}${clusterTable(`Clusters under ${attack}`, attacked, names)}</div>`;
}

function clusterTable(caption: string, cells: readonly ClassInCluster[], names: ClassNames | undefined): Markup {
  const classes = largest(cells, ({ label }) => label);
  const clusters = largest(cells, ({ cluster }) => cluster);
  const images = new Map(cells.map(({ label, cluster, images }) => [`${label}/${cluster}`, images]));
  const at = (label: number, cluster: number) => images.get(`${label}/${cluster}`) ?? 0;
  const [rows, columns] = [classes.slice(0, MOST), onDiagonal(classes.slice(0, MOST), clusters, at).slice(0, MOST)];
  const titles = [
    { title: 'class', text: names !== undefined },
    ...columns.map((cluster) => ({ title: `k${cluster}` })),
    { title: 'other' },
  ];
  const body = rows.map((label) => {
    const own = cells.filter((cell) => cell.label === label).reduce((sum, cell) => sum + cell.images, 0);
    const shown = columns.map((cluster) => at(label, cluster));
    const other = own - shown.reduce((sum, count) => sum + count, 0);
    return [classCell(label, names), ...shown.map((count) => shade(count / own, String(count))), other];
  });
  const more = classes.length > MOST && html`<p>The ${MOST} largest of ${classes.length} classes.</p>`;
  return html`<div>${table(caption, titles, body)}${more}</div>`;
}

/** Labels or clusters, those with the most images first; of equals the lower first. */
function largest(cells: readonly ClassInCluster[], of: (cell: ClassInCluster) => number): number[] {
  const sizes = new Map<number, number>();
  for (const cell of cells) sizes.set(of(cell), (sizes.get(of(cell)) ?? 0) + cell.images);
  return [...sizes].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([id]) => id);
}

/** Clusters by what they hold: class by class the one, of those left, with most of its images. */
function onDiagonal(
  classes: readonly number[],
  clusters: readonly number[],
  at: (label: number, cluster: number) => number,
): number[] {
  const left = [...clusters];
  const ordered: number[] = [];
  for (const label of classes) {
    if (left.length === 0) break;
    const best = left.reduce((a, b) => (at(label, b) > at(label, a) ? b : a));
    ordered.push(best);
    left.splice(left.indexOf(best), 1);
  }
  return [...ordered, ...left];
}
