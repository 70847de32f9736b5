import { radiusText } from '../../radius-text.js';
import { framed } from './frame.js';
import { html, jsonScript, type Markup } from './markup.js';
import { checkedPage, type PageOptions, type PageRun } from './page-run.js';
import { hasFailed } from './sections/checks.js';
import { sectionsOfRun, sectionsOfRuns } from './sections.js';

/**
 * One or more evaluated runs as one page that stands alone: styles, figures, script and the reports themselves as JSON are in it, and
 * nothing is fetched. Without scripts everything is still to be read; they switch colours and themes, and save the JSON.
 *
 * @throws EatDmlError ERR_ARGUMENT where runs or options are none.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 * import { evaluate, loadEnsemble, openData, reportHtml } from 'eat-dml';
 *
 * const ensemble = await loadEnsemble('runs/eat');
 * const { test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['test'] });
 * const report = await evaluate(ensemble, unseen, { suite: 'quick', epsilon: 8 / 255 });
 * await writeFile('report.html', await reportHtml([{ name: 'eat', report }]));
 * ```
 */
export async function reportHtml(runs: readonly PageRun[], options: PageOptions = {}): Promise<string> {
  const { title } = checkedPage(runs, options);
  const sections = runs.length === 1 ? await sectionsOfRun(runs[0]) : await sectionsOfRuns(runs);
  const kept = runs.map(({ name, config, command, history, report }) => ({ name, command, config, history, report }));
  return framed({
    title,
    about: aboutOf(runs),
    sections,
    json: jsonScript('report', { command: 'report', runs: kept }),
  });
}

function aboutOf(runs: readonly PageRun[]): Markup {
  const [{ name, report }] = runs;
  const { manifest } = report;
  const what = runs.length === 1 ? html`<b>${name}</b>` : html`<b>${runs.length} runs</b>`;
  const trust = runs.some(hasFailed) ? html` <a class="failed" href="#checks">✗ DO NOT TRUST</a>` : html``;
  return html`<p class="about">${what} on ${manifest.samples} images of ${manifest.classes} classes of ${manifest.dataset};
${manifest.norm} attacks, epsilon ${radiusText(manifest.epsilon)}${trust}</p>`;
}
