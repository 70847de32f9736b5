import type { ClassNames } from '../../../class-names.js';
import { classText, cut } from '../class-title.js';
import { COLOURS } from '../figure.js';
import { html, type Markup } from '../markup.js';

/** Classes or clusters that a legend lists; the script's legend takes it from the page. */
export const LISTED = 12;

/** What the colours of the map are, where no script runs; the script puts its own in the place of it, with shapes. */
export function legend(classes: readonly number[], names: ClassNames | undefined): Markup {
  const items = classes.map((label, i) => {
    const dot = html`<svg viewBox="0 0 12 12" class="dots" aria-hidden="true"><path class="k${i % COLOURS}" d="M6 6H6"/></svg>`;
    return html`<li>${dot}${cut(classText(label, names))}</li>`;
  });
  return classes.length > LISTED
    ? html`<div id="legend" class="legend"><p>Colours are ${classes.length} classes, too many to list.</p></div>`
    : html`<div id="legend" class="legend"><p>Colours are classes:</p><ul>${items}</ul></div>`;
}
