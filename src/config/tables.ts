import { z } from 'zod';
import type { Part } from '../part.js';
import { PARTS, type PartKind } from './lists.js';

/** Heading and key of each kind, as docs/parts.md has them. */
const KINDS: Record<PartKind, [heading: string, where: string]> = {
  data: ['Data sets', '`data`'],
  model: ['Models', '`model` (under `kind`)'],
  loss: ['Losses', '`loss`'],
  method: ['Training methods', '`method`'],
  recipe: ['Recipes', '`training.recipe`, by name'],
  attack: ['Attacks', '`evaluation.attacks[].attack`'],
  objective: ['Objectives', '`evaluation.attacks[].objective`, and by name alone `method.attack.goal`'],
  suite: ['Suites', '`evaluation.suite`, by name; its options are keys of `evaluation`'],
  protocol: ['Protocols', 'their options are keys of `evaluation`'],
};

/** Everything that a configuration can name, as Markdown: docs/parts.md, which `npm run build:ts` writes. */
export function partTables(): string {
  const sections = (Object.keys(KINDS) as PartKind[]).map((kind) => {
    const [heading, where] = KINDS[kind];
    const rows = PARTS[kind].map((part: Part) => `| \`${part.name}\` | ${cell(part.title)} | ${optionsText(part)} |`);
    return [`## ${heading}`, '', `In a configuration: ${where}.`, '', '| name | | options |', '|---|---|---|', ...rows];
  });
  return [
    '# What a configuration can name',
    '',
    'Written by `npm run build:ts` from the lists in `src/`: change those, not this. Behind each option is its default;',
    '*required* has none, *optional* may be left out. `dist/config.schema.json` describes every option.',
    ...sections.flatMap((lines) => ['', ...lines]),
    '',
  ].join('\n');
}

type Properties = Record<string, { default?: unknown }>;

function optionsText({ options }: Part): string {
  const schema = z.toJSONSchema(options, { io: 'input' });
  const required = schema.required ?? [];
  const texts = Object.entries((schema.properties ?? {}) as Properties).map(([key, { default: value }]) => {
    const state = required.includes(key) ? '*required*' : value === undefined ? '*optional*' : JSON.stringify(value);
    return `\`${key}\` ${state}`;
  });
  return texts.length > 0 ? cell(texts.join(', ')) : 'none';
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
