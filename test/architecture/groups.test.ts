import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NOT_FAST, OWN_PROCESS } from '../groups.js';

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`);

/** Of a glob as the lists have them: {a,b}, any folders, any name. */
function expressionOf(glob: string): RegExp {
  const source = glob
    .replaceAll('.', '\\.')
    .replace(/\{([^}]*)\}/g, (_, names: string) => `(${names.replaceAll(',', '|')})`)
    .replace(/\*\*\/\*?|\*\*|\*/g, (stars) => (stars === '*' ? '[^/]*' : '.*'));
  return new RegExp(`^${source}$`);
}

/** One for each name in braces: none of them may be of a file that moved. */
function single(glob: string): string[] {
  const [, before, names, after] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(glob) ?? [];
  return names === undefined ? [glob] : names.split(',').flatMap((name) => single(`${before}${name}${after}`));
}

const globs = [...OWN_PROCESS, ...Object.values(NOT_FAST).flat()];

test.each([...new Set(globs.flatMap(single))])('%s is there', (glob) => {
  expect(files.filter((file) => expressionOf(glob).test(file)).length).toBeGreaterThan(0);
});

test('what replaces modules or sets the environment has a process of its own', () => {
  const own = OWN_PROCESS.map(expressionOf);
  const shared = files.filter((file) => !own.some((expression) => expression.test(file)));
  const words = /\bvi\.(mock|doMock|resetModules|stubEnv|stubGlobal)\b|\bprocess\.env\.\w+ (\?\?)?= |process\.chdir/;
  expect(shared.filter((file) => words.test(readFileSync(file, 'utf8')))).toEqual([]);
});
