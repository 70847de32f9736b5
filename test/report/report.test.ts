import { describe, expect, test } from 'vitest';
import { compare, comparisonHtml, comparisonText, manifestText, reportText } from '../../src/report/index.js';
import { reportOf } from './reports.js';

const results = [
  { method: 'standard', report: reportOf(0.9, { pgd: 0.2, fgsm: 0.4 }) },
  { method: 'eat', report: reportOf(0.8, { pgd: 0.6, fgsm: 0.5 }, 3) },
];

const { checks } = results[0].report;

describe('compare', () => {
  test('lines up conditions and names what gave the worst value', () => {
    const { conditions, methods } = compare(results, ['nmi']);
    expect(conditions).toEqual(['clean', 'pgd', 'fgsm', 'worst']);
    expect(methods).toEqual([
      { method: 'standard', values: { nmi: [0.9, 0.2, 0.4, 0.2] }, worstBy: { nmi: 'pgd' }, checks },
      { method: 'eat', values: { nmi: [0.8, 0.6, 0.5, 0.5] }, worstBy: { nmi: 'fgsm' }, checks },
    ]);
  });

  test('is plain values', () => {
    expect(JSON.parse(JSON.stringify(compare(results)))).toEqual(compare(results));
  });

  test('refuses reports of different attacks', () => {
    const other = { method: 'at', report: reportOf(0.9, { pgd: 0.2 }) };
    expect(() => compare([results[0], other])).toThrow(
      'Expected at to be measured under clean,pgd,fgsm,worst but received clean,pgd,worst.',
    );
    expect(() => compare([])).toThrow('Expected at least one result');
  });
});

test('the text has the worst case first, then the table', () => {
  expect(comparisonText(compare(results, ['nmi', 'recallAt1']))).toBe(
    [
      'Worst case over 3 conditions, and the one that gave it:',
      '  standard:  NMI 0.200 (pgd)   Recall@1 0.200 (pgd)',
      '  eat:       NMI 0.500 (fgsm)  Recall@1 0.500 (fgsm)',
      'standard: honesty checks: all 1 passed',
      'eat: honesty checks: all 1 passed',
      '',
      '                   NMI         Recall@1',
      '       standard    eat  standard    eat',
      '---------------------------------------',
      'clean     0.900  0.800     0.900  0.800',
      'pgd       0.200  0.600     0.200  0.600',
      'fgsm      0.400  0.500     0.400  0.500',
      '---------------------------------------',
      'worst     0.200  0.500     0.200  0.500',
    ].join('\n'),
  );
});

test('failed checks come before the figures, one line each', () => {
  const report = {
    ...results[0].report,
    checks: [{ ...checks[0], passed: false, detail: '100% of images have none' }],
  };
  const warning = 'DO NOT TRUST THESE FIGURES: 1 of 1 honesty checks failed\n  gradients: 100% of images have none';
  expect(reportText(report).indexOf(warning)).toBeGreaterThan(0);
  expect(comparisonText(compare([{ method: 'at', report }]))).toContain(`at: ${warning}`);
});

test('one report shows every metric and what it depends on', () => {
  const text = reportText(results[1].report);
  expect(text.split('\n')[0]).toBe('Worst case: NMI 0.500 (fgsm), Recall@1 0.500 (fgsm)');
  expect(text).toMatch(/^ +NMI +AMI +ARI +F1 +Purity +Recall@1 +Recall@2 +Recall@4 +Recall@8 +MAP@R +R-prec\.$/m);
  expect(text).toMatch(/^worst( +0\.500){11}$/m);
  expect(text).toContain('linf attacks, epsilon 0.1 (pixels in [0, 1])');
});

describe('the page', () => {
  const hostile = [{ method: '<b>&', report: reportOf(0.5, { pgd: -0.1 }) }];

  test('stands alone', () => {
    const page = comparisonHtml(compare(results), manifestText(results[0].report.manifest));
    expect(page).not.toMatch(/https?:|<script|<link|src=/);
    expect(page.match(/<svg/g)).toHaveLength(3);
    expect(page.match(/<rect/g)).toHaveLength(3 * 2 * 4);
  });

  test('draws the worst case first', () => {
    const page = comparisonHtml(compare(results), '');
    expect(page.indexOf('>worst<')).toBeLessThan(page.indexOf('>clean<'));
  });

  test('escapes names and draws no bar below zero', () => {
    const page = comparisonHtml(compare(hostile), '<i>');
    expect(page).toContain('&lt;b&gt;&amp;');
    expect(page).toContain('&lt;i&gt;');
    expect(page).not.toMatch(/<b>|<i>|width="-/);
    expect(page).toContain('>-0.100<');
  });
});
