import { html, type Markup } from '../markup.js';
import type { PageRun } from '../page-run.js';
import { table } from '../table.js';

/** What the figures depend on, and how to get them again. */
export function manifestSection({ report, command, config }: PageRun, title = ''): Markup {
  const rows = flat(report.manifest).map(([key, value]) => [key, html`<code>${value}</code>`]);
  const columns = [
    { title: 'key', text: true },
    { title: 'value', text: true },
  ];
  const again = command && html`<p>Measured again by:</p><pre tabindex="0"><code>${command}</code></pre>`;
  const made =
    config !== undefined &&
    html`<details><summary>Configuration</summary>
<pre tabindex="0"><code>${JSON.stringify(config, null, 2)}</code></pre></details>`;
  return html`${again}${made}${table(`Manifest${title && ` of ${title}`}`, columns, rows)}`;
}

/** Values within values by the path to them: `backend.name`. */
function flat(value: object, above = ''): [key: string, value: string][] {
  return Object.entries(value).flatMap(([key, below]): [string, string][] => {
    if (below === undefined) return [];
    if (Array.isArray(below)) return [[`${above}${key}`, below.join(', ')]];
    if (typeof below === 'object' && below !== null) return flat(below, `${above}${key}.`);
    return [[`${above}${key}`, String(below)]];
  });
}
