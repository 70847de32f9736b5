import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Functions that take any number of arguments, up to their opening bracket. */
const CALLS = /(Math\.(max|min|hypot)|\.(push|unshift|concat|splice)|fromCharCode)\(/g;

/** Whether a list is spread into the arguments of the call that begins at `start`, after its bracket. */
function spreads(source: string, start: number): boolean {
  let depth = 0;
  for (let i = start; depth >= 0; i++) {
    if ('([{'.includes(source[i])) depth++;
    else if (')]}'.includes(source[i])) depth--;
    else if (depth === 0 && source.startsWith('...', i)) return true;
  }
  return false;
}

const spreadCalls = (source: string) =>
  [...source.matchAll(CALLS)].filter((call) => spreads(source, call.index + call[0].length)).map(([text]) => text);

test('no list of any length becomes the arguments of a call: the stack holds about 120,000', () => {
  const files = readdirSync('src', { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.ts'));
  const found = files.flatMap(({ parentPath, name }) =>
    spreadCalls(readFileSync(join(parentPath, name), 'utf8')).map((text) => `${join(parentPath, name)}: ${text}`),
  );
  expect(found).toEqual([]);
});

test('such calls are seen, and lists in lists are none', () => {
  expect(spreadCalls('Math.max(...values); list.push(...(await more()));')).toEqual(['Math.max(', '.push(']);
  expect(spreadCalls('Math.min(0, ...values.map((x) => x + 1))')).toEqual(['Math.min(']);
  expect(spreadCalls('Math.max(a, b); list.push([...values]); list.push({ ...one })')).toEqual([]);
});
