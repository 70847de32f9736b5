import { describe, expect, test } from 'vitest';
import { pairedMarkdown, pairedRows, parseRunResult, tableMarkdown, tableRows } from '../../src/report/index.js';
import { withReferences } from '../../src/report/table.js';
import { mutated } from './mutated.js';
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

describe('a damaged file', () => {
  test('makes a table without a hole, or ends as ERR_DATA that names it', () => {
    const outcomes = { table: 0, error: 0 };
    for (let seed = 0; seed < 200; seed++) {
      try {
        expect(tabled(mutated(text, seed))).not.toMatch(/NaN|undefined|null|Infinity/);
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
