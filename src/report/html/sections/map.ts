import { type ClassNames, namesAmong } from '../../../class-names.js';
import type { Gathered } from '../../../evaluation/index.js';
import { shortened } from '../../shortened.js';
import { classText } from '../class-title.js';
import { COLOURS } from '../figure.js';
import { type Sheet, sheetOf } from '../images.js';
import { html, jsonScript, type Markup } from '../markup.js';
import { projected } from '../project.js';
import { LISTED, legend } from './legend.js';

/** The plane's side in the units of its points. */
const SIDE = 1000;
const EDGE = 30;
/** Characters of a name in a menu, which no style cuts. */
const NAME = 40;

type Point = [x: number, y: number];

/** The sample's embeddings in one plane: clean on the left, attacked on the right. Scripts add images, zoom and other colours. */
export async function mapSection(gathered: Gathered, seed: number, names?: ClassNames): Promise<Markup> {
  const { attack, samples, labels, clean, attacked, thumbnails } = gathered;
  const { cols } = clean.embeddings;
  const data = new Float32Array(2 * samples.length * cols);
  data.set(clean.embeddings.data);
  data.set(attacked.embeddings.data, samples.length * cols);
  const { points, method } = await projected({ data, rows: 2 * samples.length, cols }, seed);
  const fitted = inPlane(points);
  const planes = [fitted.slice(0, samples.length), fitted.slice(samples.length)];
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const sheet = thumbnails.channels === 1 || thumbnails.channels === 3 ? await sheetOf(thumbnails) : undefined;
  const figures = ['clean', `under ${attack}`].map((title, i) => {
    return html`<figure class="plane"><figcaption>${title}</figcaption><div class="ground">${still(planes[i], labels, classes)}</div></figure>`;
  });
  return html`<p>${samples.length} images of the set as the ensemble sees them, in one plane by ${method}, clean and under ${attack}, the single
attack that lowers NMI most. Where classes lie apart on the left and mix on the right, the attack works.</p>
${controls(classes, names)}
${legend(classes, names)}
<div class="planes">${figures}${CARD}</div>
${sheet && html`<img id="sheet" hidden alt="" src="${sheet.uri}">`}
${jsonScript('map-data', { ...dataOf(gathered, planes, sheet), listed: LISTED, classNames: namesAmong(labels, names) })}`;
}

/** Of the point that is pointed at: it lies over the planes, and the script says where. */
const CARD = html`<div id="pointed" class="pointed" hidden><canvas width="96" height="96" role="img" aria-label="the image"></canvas>
<output for="map-colour"><span></span><span class="cut file"></span></output></div>`;

function controls(classes: readonly number[], names: ClassNames | undefined): Markup {
  const options = classes.map((label) => {
    const text = classText(label, names);
    return html`<option value="${label}" title="${text}">${shortened(text, NAME)}</option>`;
  });
  return html`<div class="tools" hidden>
<label>Colour by <select id="map-colour"><option value="label">class</option><option value="cluster">cluster</option></select></label>
<label>Show <select id="map-class"><option value="">all classes</option>${options}</select></label>
<button type="button" data-zoom="1.5" aria-label="Zoom in">+</button>
<button type="button" data-zoom="0.667" aria-label="Zoom out">−</button>
<button type="button" data-zoom="0">Reset</button></div>`;
}

/** What the script draws from. */
function dataOf(gathered: Gathered, planes: readonly Point[][], sheet: Sheet | undefined) {
  const { samples, names, labels, clean, attacked } = gathered;
  return {
    ...{ side: SIDE, names, samples: Array.from(samples) },
    labels: Array.from(labels),
    clusters: [clean, attacked].map(({ clusters }) => Array.from(clusters)),
    planes: planes.map((points) => points.flat()),
    ...(sheet && { sheet: { columns: sheet.columns, width: sheet.width, height: sheet.height } }),
  };
}

/** Points within the plane, both planes by one scale. */
function inPlane(points: readonly (readonly number[])[]): Point[] {
  const [low, high] = [Math.min, Math.max].map((of) =>
    [0, 1].map((axis) => points.reduce((found, point) => of(found, point[axis]), points[0][axis])),
  );
  const scale = (SIDE - 2 * EDGE) / (Math.max(high[0] - low[0], high[1] - low[1]) || 1);
  const at = (value: number, axis: number) => Math.round(SIDE / 2 + (value - (low[axis] + high[axis]) / 2) * scale);
  return points.map((point) => [at(point[0], 0), at(point[1], 1)]);
}

/** The plane where no script runs: a path of dots for each class. */
function still(points: readonly Point[], labels: Int32Array, classes: readonly number[]): Markup {
  const dots = new Map(classes.map((label) => [label, [] as string[]]));
  for (const [i, [x, y]] of points.entries()) dots.get(labels[i])!.push(`M${x} ${y}h0`);
  const paths = classes.map((label, i) => html`<path class="k${i % COLOURS}" d="${dots.get(label)!.join('')}"/>`);
  return html`<svg viewBox="0 0 ${SIDE} ${SIDE}" aria-hidden="true" class="dots">${paths}</svg>`;
}
