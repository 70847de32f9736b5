import { describe, expect, test } from 'vitest';
import { pairedMarkdown, pairedRows, type RunResult, tableMarkdown, tableRows } from '../../src/report/index.js';
import { estimate } from '../../src/report/statistics.js';
import { withReferences } from '../../src/report/table.js';
import { reportOf } from './reports.js';

const run = (label: string, seed: number, worst: number, budget = 'epochs'): RunResult => ({
  label,
  seed,
  budget,
  history: { epochs: 4, gradientEvaluations: 12e6, seconds: 1 },
  report: reportOf(0.9, { pgd: worst }),
});

describe('estimate', () => {
  test('mean, sample deviation and the t interval of three seeds', () => {
    const { mean, sd, low, high, n } = estimate([1, 2, 3]);
    expect([mean, sd, n]).toEqual([2, 1, 3]);
    // t(2, 97.5%) = 4.303, over sqrt(3).
    expect(high - mean).toBeCloseTo(2.4843, 3);
    expect(mean - low).toBeCloseTo(2.4843, 3);
  });

  test('says nothing of one value, and goes on beyond the 30 degrees of freedom of its table', () => {
    expect(estimate([5])).toEqual({ mean: 5, sd: 0, low: -Infinity, high: Infinity, n: 1 });
    const many = estimate(Array.from({ length: 100 }, (_, i) => i % 2));
    // scipy.stats.t.ppf(0.975, 99) and (0.975, 31)
    expect(many.high - many.mean).toBeCloseTo((1.984217 * many.sd) / 10, 6);
    const fewer = estimate(Array.from({ length: 32 }, (_, i) => i % 2));
    expect(fewer.high - fewer.mean).toBeCloseTo((2.039513 * fewer.sd) / Math.sqrt(32), 5);
  });
});

describe('the table', () => {
  test('groups seeds, sorts by the worst case, and keeps budgets apart', () => {
    const rows = tableRows([
      run('at', 1, 0.2),
      run('at', 2, 0.4),
      run('eat', 1, 0.5),
      run('eat', 2, 0.5),
      run('eat', 1, 0.1, 'compute'),
    ]);
    expect(rows.map(({ label, budget }) => `${label} ${budget}`)).toEqual(['eat epochs', 'at epochs', 'eat compute']);
    expect(rows[1].values.worstNmi!.mean).toBeCloseTo(0.3, 10);
    const text = tableMarkdown(rows);
    expect(text).toMatch(
      /^At equal epochs \(mean over seeds ± half of its 95% interval, Student’s t\):\n\n\| method \| epochs \|/,
    );
    // t(1, 97.5%) = 12.706, times 0.1414 / sqrt 2.
    expect(text).toContain('| at | 4 | 0.900 ± 0.000 | 0.900 ± 0.000 | 0.300 ± 1.271 |');
    expect(text).toContain('At equal compute (');
    expect(text).toContain('| 12.0 | 1 | passed |');
  });

  test('shows the reference among those that had its compute', () => {
    const longer = { ...run('at', 1, 0.6, 'compute'), reference: 'eat' };
    const results = withReferences([run('at', 1, 0.2), run('eat', 1, 0.5), longer]);
    const of = (rows: { label: string; budget: string }[]) => rows.map(({ label, budget }) => `${label} ${budget}`);
    expect(of(tableRows(results)).sort()).toEqual(['at compute', 'at epochs', 'eat compute', 'eat epochs']);
    const paired = pairedRows(results, 'eat');
    expect(of(paired)).toEqual(['at compute', 'at epochs']);
    expect(paired[0].differences.worstNmi!.mean).toBeCloseTo(-0.1, 10);
    expect(tableMarkdown(tableRows(results))).toMatch(/^At equal epochs [\s\S]*At equal compute /);
    expect(withReferences([run('at', 1, 0.2)])).toHaveLength(1);
  });

  test('says which runs have failed checks', () => {
    const bad = run('masked', 1, 0.8);
    bad.report.checks = [{ name: 'gradients', passed: false, detail: '' }];
    const text = tableMarkdown(tableRows([run('at', 1, 0.9), bad]));
    expect(text).toContain('**failed: gradients**');
    expect(text).toMatch(/^\*\*DO NOT TRUST THE FIGURES of masked at equal epochs: failed gradients\*\*\n\nAt equal/);
  });

  test('takes what is defined, and shows what is not as n/a, below all others', () => {
    const without = (seed: number): RunResult => {
      const result = run('single', seed, 0.9);
      const { scores, by } = result.report.worst;
      result.report.worst = { by, scores: { ...scores, nmi: seed === 1 ? null : 0.4, recallAt1: null } };
      return result;
    };
    const [both, one] = [
      [without(1), without(2), run('at', 1, 0.1)],
      [without(1), run('at', 1, 0.1)],
    ];
    const [row] = tableRows(both);
    expect(row).toMatchObject({
      label: 'single',
      seeds: 2,
      values: { worstNmi: { mean: 0.4, n: 1 }, worstRecallAt1: null },
    });
    expect(tableRows(one).map(({ label }) => label)).toEqual(['at', 'single']);
    expect(tableMarkdown(tableRows(one))).toMatch(
      /^\| single \| 4 \|.* \| n\/a \| 0\.900 \| n\/a \|.* \| 1 \| passed \|$/m,
    );
    const [paired] = pairedRows(one, 'at');
    expect(paired).toMatchObject({ label: 'single', seeds: 1, differences: { worstNmi: null } });
    expect(pairedMarkdown([paired], 'at')).toContain('| single | n/a |');
  });

  test('does not call a check failed that could not be made', () => {
    const open = run('open', 1, 0.8);
    open.report.checks = [{ name: 'collapse', passed: null, detail: 'not made' }];
    expect(tableRows([open])[0].failedChecks).toEqual([]);
  });

  test('refuses runs measured differently, and no runs', () => {
    const other = run('eat', 1, 0.5);
    other.report.manifest = { ...other.report.manifest, epsilon: 0.2 };
    expect(() => tableRows([run('at', 1, 0.2), other])).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
    expect(() => tableRows([])).toThrow(/at least one result/);
  });
});

describe('paired differences', () => {
  const results = [
    ...[run('eat', 1, 0.5), run('eat', 2, 0.3), run('eat', 3, 0.9)],
    ...[run('at', 1, 0.4), run('at', 2, 0.1)],
    ...[run('hm', 3, 0.3), run('hm', 4, 0.1), run('trades', 9, 0.1), run('at', 1, 0.2, 'compute')],
  ];

  test('are taken seed by seed, the smallest first, over the seeds that both have', () => {
    const rows = pairedRows(results, 'eat');
    expect(rows.map(({ label, budget }) => `${label} ${budget}`)).toEqual(['at epochs', 'hm epochs']);
    const { mean, sd, n } = rows[0].differences.worstNmi!;
    expect(n).toBe(2);
    expect(mean).toBeCloseTo(0.15, 10);
    expect(sd).toBeCloseTo(0.1 / Math.SQRT2, 10);
    expect(rows[0].differences.cleanRecallAt1!.mean).toBe(0);
    const text = pairedMarkdown(rows, 'eat');
    expect(text).toContain('| eat minus | **NMI worst** |');
    expect(text).toContain('| at | 0.150 ± 0.635 |');
    // 0.1, 0.2 and 0.12 above: t(2, 97.5%) = 4.303 times their sd over sqrt 3.
    const sure = [...results, run('est', 1, 0.4), run('est', 2, 0.1), run('est', 3, 0.78)];
    expect(pairedMarkdown(pairedRows(sure, 'eat'), 'eat')).toContain('| est | **0.140 ± 0.131** |');
  });

  test('of a run that is not there are an error', () => {
    expect(() => pairedRows(results, 'est')).toThrow('Expected results of est but found none.');
  });
});
