import type { PlotOptions } from '@observablehq/plot';
import { html, Markup } from './markup.js';
import { SvgDocument, svgText } from './svg-document.js';

/** Pixels. Figures are made for the narrowest screens, stand side by side on wide ones, and are never scaled to be illegible. */
export const WIDTH = 360;

/** Colours of series, from the page's own style, which has them for light and for dark. */
export const COLOURS = 8;

export function colour(index: number): string {
  return `var(--c${index % COLOURS})`;
}

type Plot = typeof import('@observablehq/plot');

/**
 * A figure of the page, drawn here by Observable Plot: it needs no script. Read aloud it is `about`, a sentence with what it shows.
 * Plot is loaded when the first figure is made.
 */
export async function figure(title: string, about: string, draw: (plot: Plot) => PlotOptions): Promise<Markup> {
  const plot: Plot = await import('@observablehq/plot');
  const document = new SvgDocument() as never;
  const options: PlotOptions = { width: WIDTH, marginTop: 16, marginBottom: 34, ...draw(plot), document };
  const drawn = svgText(plot.plot(options));
  const labelled = drawn.replace(/^<svg/, html`<svg role="img" aria-label="${about}"`.text);
  return html`<figure class="chart"><figcaption>${title}</figcaption>${new Markup(labelled)}</figure>`;
}
