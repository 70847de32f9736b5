import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** With EAT_DML_TEST_WHOLE=1 blocks run as they are written; else with fewer epochs and images, and those that are marked as long not. */
export const WHOLE = process.env.EAT_DML_TEST_WHOLE === '1';

/** A fenced block of a page, or of a doc comment. */
export interface Block {
  file: string;
  /** Of its first line of code, from 1. */
  line: number;
  /** js, ts, sh, json, ...; sh where the fence says nothing. */
  language: string;
  code: string;
  /** Why it cannot run here: `<!-- not run: why -->` on the line before. */
  notRun?: string;
  /** `<!-- long -->` on the line before: run by the long form alone. */
  long: boolean;
}

/** What users read: README and docs, without the reference, whose examples are those of the sources. */
export function pages(): string[] {
  const below = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  const written = below.filter((name) => !name.startsWith('reference'));
  return ['README.md', 'CONTRIBUTING.md', ...written.map((name) => join('docs', name)).sort()];
}

const FENCE = /^( *)```([\w-]*)[^\n]*\n(.*?)^\1```/gms;

export function blocksOf(file: string, text = readFileSync(file, 'utf8')): Block[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const [, indent, language, body] = match;
    const before = text.slice(0, match.index).trimEnd().split('\n').at(-1) ?? '';
    return {
      file,
      line: text.slice(0, match.index).split('\n').length + 1,
      language: language || 'sh',
      code: body.replaceAll(new RegExp(`^ {${indent.length}}`, 'gm'), ''),
      notRun: /<!--\s*not run:\s*(.+?)\s*-->/.exec(before)?.[1],
      long: /<!--\s*long\s*-->/.test(before),
    };
  });
}

/** The `@example`s of the sources, by the file and line of each. */
export function examplesOfSources(): Block[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.sort().flatMap((name) => {
    const path = join('src', name);
    const source = readFileSync(path, 'utf8');
    if (!source.includes('@example')) return [];
    return [...source.matchAll(/@example\n/g)].flatMap(({ index }) => {
      const end = source.indexOf('*/', index);
      const comment = source.slice(index, end).replaceAll(/^ *\* ?/gm, '');
      const [first] = blocksOf(path, comment);
      if (!first) return [];
      return [{ ...first, line: first.line + source.slice(0, index).split('\n').length - 1 }];
    });
  });
}

export const isProgram = ({ language }: Block) => ['js', 'ts', 'mjs'].includes(language);
export const isShell = ({ language }: Block) => ['sh', 'bash'].includes(language);
export const place = ({ file, line }: Block) => `${file}:${line}`;

/** The same program with little to do: fewer images, epochs and attacks. */
export function shortened(code: string): string {
  const brief = code
    .replaceAll(/\b(epochs): *\d+/g, '$1: 1')
    .replaceAll(/\b(perClass): *\d+/g, '$1: 16')
    .replaceAll(/\b(count): *\d+/g, '$1: 12')
    .replaceAll(/\b(suite): *'\w+'/g, "$1: 'quick'");
  return /\bcount:/.test(brief) ? brief : brief.replaceAll("suite: 'quick'", "suite: 'quick', count: 8");
}
