import type { SanityCheck } from '../../../evaluation/index.js';
import { html, type Markup } from '../markup.js';
import type { PageRun } from '../page-run.js';
import { table } from '../table.js';

/** Said by a sign and a word, too: colour is never the only one. */
function outcome(passed: SanityCheck['passed']): Markup {
  if (passed === null) return html`<span class="open">○ not made</span>`;
  return passed ? html`<span class="passed">✓ passed</span>` : html`<span class="failed">✗ failed</span>`;
}

export function hasFailed({ report }: PageRun): boolean {
  return report.checks.some(({ passed }) => passed === false);
}

/** Whether the figures can be believed at all: before any of them. What failed is open, the rest folded where there are many runs. */
export function checksSection(runs: readonly PageRun[]): Markup {
  if (runs.length === 1) return html`${verdict(runs[0], '')}${checksTable(runs[0], '')}`;
  const failed = runs.filter(hasFailed);
  const others = runs.filter((run) => !hasFailed(run));
  const shown = (run: PageRun) => html`${verdict(run, titleOf(run))}${checksTable(run, titleOf(run))}`;
  const folded = html`<details class="good"><summary><strong>✓ ${others.length} of ${runs.length} runs: no check failed</strong></summary>
${others.map(shown)}</details>`;
  return html`${failed.map(shown)}${others.length > 0 && folded}`;
}

/** A run among others. */
export function titleOf({ name, report }: PageRun): string {
  return `${name}, seed ${report.manifest.seed}`;
}

function verdict(run: PageRun, title: string): Markup {
  const { checks, manifest } = run.report;
  const of = title && html`${title}: `;
  const failed = checks.filter(({ passed }) => passed === false);
  const made = checks.filter(({ passed }) => passed !== null).length;
  const open = made < checks.length && html`, ${checks.length - made} could not be made`;
  const outcome =
    failed.length > 0
      ? html`<p class="alert">${of}<strong>✗ DO NOT TRUST THESE FIGURES.</strong>
${failed.length} of ${checks.length} sanity checks failed: ${failed.map(({ name }) => name).join(', ')}.</p>`
      : html`<p class="good">${of}<strong>✓ ${made} of ${checks.length} sanity checks passed</strong>${open}.</p>`;
  const seen =
    manifest.seen &&
    html`<p class="alert">${of}<strong>MEASURED ON SEEN DATA.</strong> The ensemble was trained on ${manifest.seen.images} of these images
and ${manifest.seen.classes} of these classes.</p>`;
  return html`${outcome}${seen}`;
}

function checksTable({ report: { checks } }: PageRun, title: string): Markup {
  const columns = [
    { title: 'check', text: true },
    { title: 'outcome', text: true },
    { title: 'measured', text: true, wide: true },
  ];
  const rows = checks.map(({ name, passed, detail }) => [name, outcome(passed), detail]);
  return table(`What each check measured${title && ` of ${title}`}`, columns, rows);
}
