import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportsOf } from '../architecture/exports.js';
import { LONG } from '../long.js';
import { run } from '../packaging/run.js';
import { examplesOfSources } from './blocks.js';

/** What `npm run reference` writes; a test fails where it was not run after a change of what is exported or of an example. */
const folder = 'docs/reference';
const files = readdirSync(folder).sort();
const text = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');

test('every export is in the reference, and nothing else: npm run reference', () => {
  const headings = [...text.matchAll(/^### (?:abstract )?([\w\\]+)(?:\(\))?$/gm)].map(([, name]) =>
    name.replaceAll('\\', ''),
  );
  expect(headings.sort()).toEqual([...exportsOf('src/index.ts').keys()].sort());
});

test('every example is there as it is in the sources: npm run reference', () => {
  const lost = examplesOfSources().filter(({ code }) => !text.includes(code));
  expect(lost.map(({ file }) => file)).toEqual([]);
});

test('its options have members, not schemas', () => {
  expect(text).not.toMatch(/z\.(input|infer|output)|ZodObject|\binput</);
});

/** The compiler's threads say the members of a union in one order or another. */
const words = (page: string) => page.split(/\s+/).sort().join(' ');

test.runIf(LONG)(
  'it is what the sources say now, word by word',
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'eat-dml-reference-'));
    expect(await run('npm', ['run', '--silent', 'reference', '--', out])).toMatchObject({ code: 0 });
    expect(readdirSync(out).sort()).toEqual(files);
    for (const name of files)
      expect(words(readFileSync(join(out, name), 'utf8'))).toBe(words(readFileSync(join(folder, name), 'utf8')));
    rmSync(out, { recursive: true });
  },
  600_000,
);
