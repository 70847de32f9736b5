import type { ClassNames } from '../../class-names.js';
import { html, type Markup, type Shown } from './markup.js';

/** A class within a sentence: its name, or "class 6". */
export function classText(label: number, names: ClassNames | undefined): string {
  return names?.[label] || `class ${label}`;
}

/** A class where the column, or the text before it, says that it is one: its name, or its number. */
export function classCell(label: number, names: ClassNames | undefined): Shown {
  const name = names?.[label];
  return name ? cut(name, `${name} (class ${label})`) : label;
}

/** Text of one line that the style cuts where it is too long; `title` has the whole. */
export function cut(text: string, title = text): Markup {
  return html`<span class="cut" title="${title}">${text}</span>`;
}
