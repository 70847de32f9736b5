import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { html, Markup } from './markup.js';

/** A part of a page, with a link to it above. */
export interface Section {
  id: string;
  title: string;
  content: Markup;
}

export interface Page {
  title: string;
  about: Markup;
  sections: readonly Section[];
  /** What the page was made from, in a script element of JSON called `report`. */
  json: Markup;
  /** Of a page that a server keeps up to date: which state of it this is. */
  version?: number;
}

const STYLES = ['colours.css', 'layout.css', 'content.css', 'map.css'];
/** Of a page with a map. */
const MAP = ['glyphs.js', 'legend.js', 'card.js', 'map.js'];

/** A whole page: nothing of it lies elsewhere. */
export async function framed({ title, about, sections, json, version }: Page): Promise<string> {
  const live = version !== undefined;
  const style = await assets(STYLES);
  const mapped = sections.some(({ id }) => id === 'map');
  const script = await assets(['page.js', ...(mapped ? MAP : []), ...(live ? ['live.js'] : [])]);
  const links = sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(script, live)}">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header><div><h1>${title}</h1>${about}</div>
<div class="tools" hidden><label>Theme <select id="theme"><option value="">system</option><option>light</option><option>dark</option></select></label>
<button type="button" id="save">Save JSON</button></div></header>
<nav aria-label="Sections"><ul>${links}</ul></nav>
<main id="main" tabindex="-1"${live && html` data-version="${version}"`}>
${inMain(sections, json)}</main>
<footer><p>Made by eat-dml. What it was made from is in this page as JSON.</p></footer>
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

/** What is between head and foot. */
export function inMain(sections: readonly Section[], json: Markup): Markup {
  const parts = sections.map(({ id, title, content }) => {
    return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${content}</section>\n`;
  });
  return html`${parts}${json}\n`;
}

/** Nothing may be fetched but from the server of a page that has one, and no script may run but the page's own. */
function policy(script: string, live: boolean): string {
  const hash = createHash('sha256').update(script).digest('base64');
  const own = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`;
  return live ? `${own}; connect-src 'self'` : own;
}

/** Files of the folder of assets, one after the other. */
async function assets(names: readonly string[]): Promise<string> {
  const texts = names.map((name) => readFile(new URL(`./assets/${name}`, import.meta.url), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}
