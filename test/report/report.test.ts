import { describe, expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/evaluation/index.js';
import { compare, comparisonText, reportText } from '../../src/report/index.js';
import { checksText } from '../../src/report/text.js';
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
      'standard: sanity checks: all 1 passed',
      'eat: sanity checks: all 1 passed',
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
  const warning = 'DO NOT TRUST THESE FIGURES: 1 of 1 sanity checks failed\n  gradients: 100% of images have none';
  expect(reportText(report).startsWith(`${warning}\nWorst case: NMI`)).toBe(true);
  const both = comparisonText(compare([results[1], { method: 'standard', report }]));
  expect(both.startsWith(`standard: ${warning}\nWorst case over`)).toBe(true);
  expect(both.indexOf('eat: sanity checks: all 1 passed')).toBeGreaterThan(both.indexOf('Worst case over'));
});

test('checks that could not be made are neither passed nor failed', () => {
  const open = (name: 'collapse' | 'black-box', detail: string) => ({
    name,
    passed: null,
    detail: `not made: ${detail}`,
  });
  const some = [...checks, open('collapse', 'few images'), open('black-box', 'few images')];
  const line = '  collapse, black-box: not made: few images';
  expect(checksText(some)).toBe(`sanity checks: 1 of 3 passed\n${line}`);
  const failed = { ...checks[0], passed: false };
  expect(
    checksText([failed, ...some.slice(1)])
      .split('\n')
      .at(-1),
  ).toBe(line);
});

describe('what is not defined', () => {
  const report: EvaluationReport = {
    ...results[0].report,
    notDefined: { recallAt1: 'no two are alike', mapAtR: 'no two are alike' },
    clean: { ...results[0].report.clean, recallAt1: null, mapAtR: null },
    worst: {
      scores: { ...results[0].report.worst.scores, recallAt1: null, mapAtR: null },
      by: { ...results[0].report.worst.by, recallAt1: null, mapAtR: null },
    },
  };
  const comparison = compare([{ method: 'at', report }], ['nmi', 'recallAt1']);

  test('is n/a in every form, with its reason', () => {
    expect(reportText(report)).toContain('Worst case: NMI 0.200 (pgd), Recall@1 n/a\n');
    expect(reportText(report)).toContain('\nRecall@1, MAP@R n/a: no two are alike\n');
    expect(comparisonText(comparison)).toContain('at: Recall@1 n/a: no two are alike');
    expect(comparisonText(comparison)).toMatch(/^clean +0\.900 +n\/a$/m);
    expect(JSON.parse(JSON.stringify(comparison)).methods[0].values.recallAt1.at(-1)).toBeNull();
  });

  test('is nothing in a report of an earlier version, which has no such list', () => {
    const { notDefined: _, ...earlier } = results[0].report;
    expect(reportText(earlier as EvaluationReport)).toBe(reportText(results[0].report));
  });
});

test('one report shows every metric and what it depends on', () => {
  const text = reportText(results[1].report);
  expect(text.split('\n')[0]).toBe('Worst case: NMI 0.500 (fgsm), Recall@1 0.500 (fgsm)');
  expect(text).toMatch(/^ +NMI +AMI +ARI +F1 +Purity +Recall@1 +Recall@2 +Recall@4 +Recall@8 +MAP@R +R-prec\.$/m);
  expect(text).toMatch(/^worst( +0\.500){11}$/m);
  expect(text).toContain('linf attacks, epsilon 0.1 (pixels in [0, 1])');
  const { report } = results[1];
  const finer = { ...report, manifest: { ...report.manifest, epsilon: 8 / 255 } };
  expect(reportText(finer)).toContain('linf attacks, epsilon 8/255 (');
});

test('the text of a report whose parts lack something says what', () => {
  const [{ report }] = results;
  const recall = { clean: { 1: 0.9, 2: 0.95 }, worst: { 1: 0.2 } };
  expect(() => reportText({ ...report, recall } as never)).toThrow('the same K of clean and worst for report.recall');
  for (const [part, point] of Object.entries({ curve: { epsilon: 0.1 }, stepCurve: { steps: 5 } })) {
    const damaged = { ...report, [part]: [{ ...point, scores: { nmi: 0.1 }, by: report.worst.by }] };
    expect(() => reportText(damaged as never)).toThrow(`report.${part}[0].scores.recallAt1`);
  }
});

test('the text of one evaluation has intervals, the curve, RobRank’s measures and classes, where there are any', () => {
  const [{ report }] = results;
  const plain = reportText(report, { perClass: true });
  expect(plain).not.toMatch(/95%|worst at|worst by|RobRank|F1 of best/);
  const measures = { 'CA+': 15.42, 'CA-': 73.8, 'QA+': 14.7, 'QA-': 55.8, TMA: 0.9762, 'ES:D': 0.6581, 'ES:R': 18 };
  const by = { ...report.worst.by, nmi: 'composite at 4/255' };
  const [clean, worst] = [
    { recallAt1: 1, mapAtR: 0.9, bestClusterF1: 0.8 },
    { recallAt1: null, mapAtR: null, bestClusterF1: 0.25 },
  ];
  const full: EvaluationReport = {
    ...report,
    attacks: report.attacks.map((attack) => ({ ...attack, intervals: { nmi: [0.15, 0.26], recallAt1: null } })),
    curve: [
      { epsilon: 0, scores: report.clean, by: report.worst.by },
      { epsilon: 8 / 255, scores: report.worst.scores, by },
    ],
    stepCurve: [{ steps: 5, scores: report.worst.scores, by: report.worst.by }],
    ranking: { scores: { ...measures, LTM: 16.3, GTM: 0.3, GTT: null }, ers: null, notDefined: {} },
    perClass: [{ label: 3, images: 12, clean, worst }],
  };
  const lines = reportText(full, { perClass: true }).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      '95% by bootstrap over images: NMI 0.150 to 0.260',
      'worst by steps          NMI     Recall@1',
      '5               0.200 (pgd)  0.200 (pgd)',
      'worst at epsilon                         NMI     Recall@1',
      '0                                0.900 (pgd)  0.900 (pgd)',
      '8/255             0.200 (composite at 4/255)  0.200 (pgd)',
      'RobRank   CA+   CA-   QA+   QA-    TMA   ES:D  ES:R   LTM  GTM  GTT  ERS',
      '         15.4  73.8  14.7  55.8  0.976  0.658  18.0  16.3  0.3  n/a  n/a',
      'class  images  Recall@1  worst  MAP@R  worst  F1 of best cluster  worst',
      '3          12     1.000    n/a  0.900    n/a               0.800  0.250',
    ]),
  );
  expect(reportText(full)).not.toContain('F1 of best');
  const named = reportText({ ...full, classNames: { 3: `cat\n${'x'.repeat(50)}` } }, { perClass: true });
  expect(named).toContain(`\ncat?${'x'.repeat(27)}…      12     1.000 `);
  expect(() => reportText(report, { perclass: true } as never)).toThrow('perClass');
});
