import { describe, expect, test } from 'vitest';
import { checkAlike, namedApart, parsePageRuns } from '../../src/report/html/page-results.js';
import { type PageRun, reportHtml } from '../../src/report/index.js';
import { mutated } from './mutated.js';
import { fullReport, reportOf } from './reports.js';

const PATH = 'runs/eat/result.json';
const history = { losses: [2, 1], learningRates: [0.1, 0.01], validations: [{ epoch: 1, scores: { nmi: 0.5 } }] };
const sweep = { label: 'eat', seed: 1, budget: 'compute', history, config: { seed: 1 }, report: fullReport() };
const named = { ...sweep, report: { ...fullReport(), classNames: { 3: 'ant', 4: 'bee' } } };

test('a sweep’s result says its label, and that it is at equal compute', () => {
  const [run] = parsePageRuns(JSON.stringify(sweep), PATH);
  expect(run).toEqual({ name: 'eat, equal compute', source: PATH, history, config: { seed: 1 }, report: run.report });
  expect(run.report).toEqual(JSON.parse(JSON.stringify(sweep.report)));
});

test('names of classes are read where a result has them', () => {
  expect(parsePageRuns(JSON.stringify(named), PATH)[0].report.classNames).toEqual({ 3: 'ant', 4: 'bee' });
  const wrong = JSON.stringify({ ...sweep, report: { ...fullReport(), classNames: { 3: 4 } } });
  expect(() => parsePageRuns(wrong, PATH)).toThrow(/classNames/);
});

test('what evaluate wrote of a network of any origin has its name', () => {
  const text = JSON.stringify({ command: 'evaluate', run: null, model: 'resnet50', ...fullReport() });
  expect(parsePageRuns(text, PATH)).toMatchObject([{ name: 'resnet50', source: PATH }]);
});

describe('runs are alike or refused', () => {
  const runOf = (report: PageRun['report'], source: string) => ({ name: 'a', source, report });
  const plain = reportOf(0.5, { pgd: 0.4 });
  const other = (change: object) => ({ ...plain, manifest: { ...plain.manifest, ...change } });

  test.each<[string, object, string]>([
    ['data', { dataset: 'cub200' }, 'dataset made up, but received cub200'],
    ['number of images', { samples: 41 }, 'samples 40, but received 41'],
    ['clusters', { k: 9 }, 'k 4, but received 9'],
    ['norm', { norm: 'l2' }, 'norm linf, but received l2'],
    ['radius', { epsilon: 0.2 }, 'epsilon 0.1, but received 0.2'],
    ['radius in 255ths', { epsilon: 8 / 255 }, 'epsilon 0.1, but received 8/255'],
  ])('by their %s', (_, change, message) => {
    expect(() => checkAlike([runOf(plain, 'x'), runOf(other(change), 'y')])).toThrow(
      `Expected y to be evaluated as x, ${message}.`,
    );
  });

  test('seeds may differ, and one name and seed are told apart', () => {
    const runs = [runOf(plain, 'x'), runOf(other({ seed: 8 }), 'y'), runOf(plain, 'z')];
    expect(() => checkAlike(runs)).not.toThrow();
    expect(namedApart(runs).map(({ name }) => name)).toEqual(['a (x)', 'a', 'a (z)']);
  });
});

test('a damaged file makes a page without a hole, or ends as ERR_DATA that names it', async () => {
  const text = JSON.stringify(named);
  const outcomes = { page: 0, error: 0 };
  for (let seed = 0; seed < 150; seed++) {
    const damaged = mutated(text, seed);
    let runs: PageRun[];
    try {
      runs = parsePageRuns(damaged, PATH).map(({ source: _, folder: __, ...run }) => run);
    } catch (error) {
      expect(error, damaged).toMatchObject({ code: 'ERR_DATA', message: expect.stringContaining(PATH) });
      outcomes.error++;
      continue;
    }
    const page = (await reportHtml(runs)).replace(/<script.*?<\/script>/gs, '');
    expect(page, damaged).not.toMatch(/NaN|undefined|\[object/);
    outcomes.page++;
  }
  expect(outcomes.page).toBeGreaterThan(20);
  expect(outcomes.error).toBeGreaterThan(20);
});
