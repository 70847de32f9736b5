import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/random.js';
import { pairedMarkdown, pairedRows, parseRunResult, tableMarkdown, tableRows } from '../../src/report/index.js';
import { withReferences } from '../../src/report/table.js';
import { reportOf } from './reports.js';

const PATH = 'sweep/at/result.json';
const result = (label: string) => ({
  ...{ label, seed: 1, budget: 'epochs', folder: `${label}/epochs/seed-1`, config: { seed: 1 } },
  history: { epochs: 4, gradientEvaluations: 12e6, seconds: 1 },
  report: reportOf(0.9, { pgd: 0.2, fgsm: 0.4 }),
});
const text = JSON.stringify(result('at'));

/** What `eat-dml table --against at` makes of the file beside a sound one. */
function tabled(file: string): string {
  const results = withReferences([
    parseRunResult(JSON.stringify(result('eat')), 'sweep/eat'),
    parseRunResult(file, PATH),
  ]);
  return `${tableMarkdown(tableRows(results))}\n${pairedMarkdown(pairedRows(results, 'eat'), 'eat')}`;
}

test('a result is read as it was written, and knows where from', () => {
  expect(parseRunResult(text, PATH)).toEqual({ ...result('at'), source: PATH });
});

test.each<[string, (r: ReturnType<typeof result>) => void, RegExp]>([
  ['a score that is text', (r) => Object.assign(r.report.clean, { nmi: '0.9' }), /report\.clean\.nmi does not fit/],
  [
    'a score above 1',
    (r) => Object.assign(r.report.worst.scores, { recallAt1: 20 }),
    /worst\.scores\.recallAt1 does not/,
  ],
  ['no checks', (r) => Object.assign(r.report, { checks: undefined }), /report\.checks does not fit/],
  ['another label', (r) => Object.assign(r, { label: 'a | b' }), /label does not fit/],
  ['another budget', (r) => Object.assign(r, { budget: 'time' }), /budget does not fit/],
])('%s is named with the file', (_, change, message) => {
  const changed = result('at');
  change(changed);
  const error = {
    code: 'ERR_DATA',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('sweep again'),
  };
  expect(() => parseRunResult(JSON.stringify(changed), PATH)).toThrow(expect.objectContaining(error));
  expect(() => parseRunResult(JSON.stringify(changed), PATH)).toThrow(PATH);
});

test.each(['', '{', 'null', '[]', '7', text.slice(0, -20)])('%s is no result', (file) => {
  const error = expect.objectContaining({ code: 'ERR_DATA', message: expect.stringContaining(PATH) });
  expect(() => parseRunResult(file, PATH)).toThrow(error);
});

/** One random damage to the text of a file, by its number. */
function mutated(seed: number): string {
  const random = randomStream(seed, 'mutation');
  const at = random.integer(text.length);
  const anything = String.fromCharCode(32 + random.integer(95));
  const kind = random.integer(6);
  if (kind === 0) return text.slice(0, at);
  if (kind === 1) return text.slice(0, at) + anything + text.slice(at + 1);
  if (kind === 2) return text.slice(0, at) + text.slice(at + 1 + random.integer(40));
  if (kind === 3) return text.slice(0, at) + text.slice(random.integer(text.length));
  // The others keep to JSON: a value replaced by another, a key renamed.
  const values = ['null', '""', '-1', '1e999', '[]', '{}', 'true', '"x"', '1e308', '{"__proto__":1}'];
  const value = values[random.integer(values.length)];
  const spots = [...text.matchAll(kind === 4 ? /(?<=":)("[^"]*"|-?[\d.]+|null|true|false|\[|\{)/g : /"\w+"(?=:)/g)];
  const spot = spots[random.integer(spots.length)];
  if (kind === 5) return `${text.slice(0, spot.index)}"other"${text.slice(spot.index + spot[0].length)}`;
  return `${text.slice(0, spot.index)}${value}${text.slice(endOfValue(spot.index))}`;
}

/** Where the JSON value that begins at `start` ends. */
function endOfValue(start: number): number {
  for (let end = start + 1; end <= text.length; end++) {
    try {
      JSON.parse(text.slice(start, end));
      // A number may go on.
      if (!/[\d.eE+-]/.test(text[end] ?? '')) return end;
    } catch {
      // Not whole yet.
    }
  }
  return start;
}

describe('a damaged file', () => {
  test('makes a table without a hole, or ends as ERR_DATA that names it', () => {
    const outcomes = { table: 0, error: 0 };
    for (let seed = 0; seed < 200; seed++) {
      try {
        expect(tabled(mutated(seed))).not.toMatch(/NaN|undefined|null|Infinity/);
        outcomes.table++;
      } catch (error) {
        expect(error, `mutation ${seed}`).toMatchObject({ code: 'ERR_DATA', message: expect.stringContaining(PATH) });
        outcomes.error++;
      }
    }
    expect(outcomes.table).toBeGreaterThan(10);
    expect(outcomes.error).toBeGreaterThan(100);
  });
});
