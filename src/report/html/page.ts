import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { html, jsonScript, Markup } from './markup.js';
import { checkedPage, type PageOptions, type PageRun } from './page-run.js';
import { hasFailed } from './sections/checks.js';
import { type Section, sectionsOfRun, sectionsOfRuns } from './sections.js';

/**
 * One or more evaluated runs as one page that stands alone: styles, figures, script and the reports themselves as JSON are in it, and
 * nothing is fetched. Without scripts everything is still to be read; they switch colours and themes, and save the JSON.
 *
 * @throws EatDmlError ERR_ARGUMENT where runs or options are none.
 */
export async function reportHtml(runs: readonly PageRun[], options: PageOptions = {}): Promise<string> {
  const { title } = checkedPage(runs, options);
  const sections = runs.length === 1 ? await sectionsOfRun(runs[0]) : await sectionsOfRuns(runs);
  const kept = runs.map(({ name, config, command, history, report }) => ({ name, command, config, history, report }));
  return pageOf({
    title,
    about: aboutOf(runs),
    sections,
    json: jsonScript('report', { command: 'report', runs: kept }),
  });
}

const STYLES = ['colours.css', 'layout.css', 'content.css', 'map.css'];
const SCRIPTS = ['page.js', 'glyphs.js', 'map.js'];

interface Page {
  title: string;
  about: Markup;
  sections: readonly Section[];
  json: Markup;
}

async function pageOf({ title, about, sections, json }: Page): Promise<string> {
  const style = await assets(...STYLES);
  const script = await assets(...SCRIPTS);
  const links = sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  const parts = sections.map(
    ({
      id,
      title,
      content,
    }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}</section>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(script)}">
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
<main id="main" tabindex="-1">
${parts}</main>
<footer><p>Made by eat-dml. The report itself is in this file as JSON.</p></footer>
${json}
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

/** Nothing may be fetched, and no script may run but the page's own. */
function policy(script: string): string {
  const hash = createHash('sha256').update(script).digest('base64');
  return `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`;
}

/** Files of the folder of assets, one after the other. */
async function assets(...names: readonly string[]): Promise<string> {
  const texts = names.map((name) => readFile(new URL(`./assets/${name}`, import.meta.url), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

function aboutOf(runs: readonly PageRun[]): Markup {
  const [{ name, report }] = runs;
  const { manifest } = report;
  const what = runs.length === 1 ? html`<b>${name}</b>` : html`<b>${runs.length} runs</b>`;
  const trust = runs.some(hasFailed) ? html` <a class="failed" href="#checks">✗ DO NOT TRUST</a>` : html``;
  return html`<p class="about">${what} on ${manifest.samples} images of ${manifest.classes} classes of ${manifest.dataset};
${manifest.norm} attacks, epsilon ${Number(manifest.epsilon.toPrecision(4))}${trust}</p>`;
}
