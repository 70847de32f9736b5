import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/evaluation/index.js';
import { fullReport, reportOf } from '../report/reports.js';
import { callCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, value: unknown): string {
  mkdirSync(join(at(name), '..'), { recursive: true });
  writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value));
  return at(name);
}

const seeded = (report: EvaluationReport, seed: number) => ({ ...report, manifest: { ...report.manifest, seed } });
const history = { epochs: 2, gradientEvaluations: 1, seconds: 1, losses: [2, 1] };

for (const label of ['eat', 'at']) {
  for (const seed of [1, 2]) {
    const report = seeded(reportOf(0.9, { pgd: label === 'eat' ? 0.5 : 0.3 }), seed);
    write(`sweep/${label}/seed-${seed}/result.json`, {
      label,
      seed,
      budget: 'epochs',
      history,
      config: { seed },
      report,
    });
  }
}
const evaluated = write('one/result.json', { command: 'evaluate', run: 'runs/one', ...reportOf(0.8, { pgd: 0.4 }) });
const demo = write('demo.json', {
  command: 'demo',
  config: {},
  runs: [{ method: 'standard', config: {}, history, report: reportOf(0.7, { pgd: 0.1 }) }],
});

const jsonOf = (page: string) => JSON.parse(readFileSync(page, 'utf8').match(/id="report">(.*?)<\/script>/s)![1]);

describe('eat-dml report', () => {
  test('of a folder of one evaluation is the page of that run', async () => {
    const out = at('one.html');
    const { code, stdout } = await callCli(['report', at('one'), '--out', out]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `1 run, in ${out}\n` });
    const { runs } = jsonOf(out);
    expect(runs).toMatchObject([{ name: 'runs/one', report: JSON.parse(JSON.stringify(reportOf(0.8, { pgd: 0.4 }))) }]);
    expect(runs[0].report).not.toHaveProperty('command');
  });

  test('of a sweep, a file and a demo has them side by side', async () => {
    const out = at('all.html');
    const { code, stdout, stderr } = await callCli(['report', at('sweep'), evaluated, demo, '--out', out, '--json']);
    expect(code, stderr).toBe(0);
    const { runs } = JSON.parse(stdout);
    expect(runs.map(({ name, seed }: { name: string; seed: number }) => `${name} ${seed}`)).toEqual([
      ...['at 1', 'at 2', 'eat 1', 'eat 2'],
      ...['runs/one 7', 'standard 7'],
    ]);
    const page = readFileSync(out, 'utf8');
    expect(page).toContain('eat minus every other, paired by seed');
    expect(page).toContain('Training loss');
  });

  test('takes what a page saved, and a file that is named twice once', async () => {
    const out = at('again.html');
    await callCli(['report', at('sweep'), '--out', at('first.html')]);
    const saved = write('saved.json', jsonOf(at('first.html')));
    const { code, stdout } = await callCli(['report', saved, saved, '--out', out]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `4 runs of 2 names, in ${out}\n` });
    expect(jsonOf(out)).toEqual(jsonOf(at('first.html')));
  });

  test('tells runs of one name and seed apart by their files', async () => {
    const other = write('other/result.json', JSON.parse(readFileSync(evaluated, 'utf8')));
    const { stdout } = await callCli(['report', evaluated, other, '--out', at('two.html'), '--json']);
    const names = JSON.parse(stdout).runs.map(({ name }: { name: string }) => name);
    expect(names).toEqual([`runs/one (${evaluated})`, `runs/one (${other})`]);
  });
});

describe('what is no result is one sentence', () => {
  test.each<[string, () => string[], number, RegExp]>([
    ['nothing named', () => [], 2, /missing required argument/],
    ['a path that is not there', () => [at('nowhere')], 4, /ERR_PATH: Expected to read .*nowhere but it is not there/],
    [
      'a folder without one',
      () => {
        mkdirSync(at('empty'), { recursive: true });
        return [at('empty')];
      },
      4,
      /ERR_DATA: Expected a result\.json in .*empty but found none\.\n {2}Name a file/,
    ],
    ['text', () => [write('text.json', 'no')], 4, /ERR_DATA: .* in .*text\.json but it is no JSON/],
    ['another JSON', () => [write('other.json', { a: 1 })], 4, /ERR_DATA: .* in .*other\.json but it is none/],
    ['null', () => [write('null.json', 'null')], 4, /ERR_DATA: .* in .*null\.json but it is none/],
    [
      'a damaged report',
      () => [write('bad.json', { command: 'evaluate', run: 'x', ...fullReport(), clean: { nmi: 'high' } })],
      4,
      /ERR_DATA: .*bad\.json but it does not fit \(Expected .*clean\.nmi/,
    ],
    [
      'another set of attacks',
      () => [evaluated, write('fgsm.json', { command: 'evaluate', run: 'x', ...reportOf(0.8, { fgsm: 0.4 }) })],
      4,
      /ERR_DATA: Expected .*fgsm\.json to be evaluated as .*result\.json, attacks pgd, but received fgsm/,
    ],
    ['a page that cannot be written', () => [evaluated, '--out', join(evaluated, 'below.html')], 4, /ERR_PATH/],
  ])('%s', async (_, args, expected, message) => {
    const given = args();
    const out = given.includes('--out') ? [] : ['--out', at('none.html')];
    const { code, stdout, stderr } = await callCli(['report', ...given, ...out]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('unexpected error');
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
  });
});
