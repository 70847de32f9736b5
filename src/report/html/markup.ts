/** A piece of a page, safe to be put into another. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What a template takes: text, which is escaped, and pieces of a page, which are not. Nothing stands for what is not there. */
export type Shown = Markup | string | number | null | undefined | false | readonly Shown[];

/** A piece of a page: whatever is text in it cannot become markup, in an attribute neither. */
export function html(strings: TemplateStringsArray, ...values: readonly Shown[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < values.length ? textOf(values[i]) : '')).join(''));
}

function textOf(value: Shown): string {
  if (value instanceof Markup) return value.text;
  if (value === null || value === undefined || value === false) return '';
  return typeof value === 'object' ? value.map(textOf).join('') : escapeHtml(String(value));
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A value as the text of a script element of JSON: no `<` in it can end the element, or begin a comment. */
export function jsonScript(id: string, value: unknown): Markup {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028');
  return new Markup(`<script type="application/json" id="${id}">${json.replaceAll('\u2029', '\\u2029')}</script>`);
}
