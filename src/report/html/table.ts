import { html, type Markup, type Shown } from './markup.js';

export interface Column {
  title: Shown;
  /** Left, as names are; figures stand at the right. */
  text?: boolean;
  /** Text of several words, which is not to be squeezed. */
  wide?: boolean;
}

/** A table in a box of its own, which scrolls where it is wider than the page, by keys too. The first cell of a row names it. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Shown[])[]): Markup {
  const kind = (column: number) => html`${columns[column].text ? 'text' : 'figure'}${columns[column].wide && ' wide'}`;
  const head = columns.map(({ title }, i) => html`<th scope="col" class="${kind(i)}">${title}</th>`);
  const body = rows.map((cells) => {
    const rest = cells.slice(1).map((cell, i) => html`<td class="${kind(i + 1)}">${cell}</td>`);
    return html`<tr><th scope="row" class="${kind(0)}">${cells[0]}</th>${rest}</tr>\n`;
  });
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}
