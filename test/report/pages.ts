import type { PageRun } from '../../src/report/index.js';
import { LONG } from '../long.js';
import { gatheredOf } from './gathered.js';
import { fullReport, reportOf } from './reports.js';

const history = {
  losses: [3, 2, 1],
  learningRates: [0.01, 0.001, 0.0001],
  validations: [1, 2, 3].map((epoch) => ({ epoch, scores: { nmi: 0.1 * epoch, attackedNmi: 0.05 * epoch } })),
};

/** Pages with all that there can be, names as long as they come, and failed checks, by their names. */
export function pagesOfTests(): Record<string, PageRun[]> {
  const report = fullReport();
  const long = 'a-name-of-'.repeat(50);
  const attacks = report.attacks.map((attack, i) => (i === 0 ? { ...attack, name: long, objective: long } : attack));
  const by = { ...report.worst.by, nmi: long };
  const checks = [
    { name: 'gradients' as const, passed: false, detail: long },
    { name: 'collapse' as const, passed: null, detail: 'not made: few images' },
  ];
  const classNames = { 3: long, 4: '<b>bee</b>', 7: `"'&${long}` };
  const hostile = { ...report, attacks, checks, classNames, worst: { ...report.worst, by } };
  const few = gatheredOf(30, 3);
  const files = Array.from(few.samples, (sample) => `ant/${'of-a-long-name-'.repeat(8)}${sample}.png`);
  const methods = ['eat', 'at', 'standard'].flatMap((name, i) =>
    [1, 2].map((seed) => {
      const own = reportOf(0.9, { pgd: 0.5 - 0.1 * i + 0.02 * seed });
      return { name, history, report: { ...own, manifest: { ...own.manifest, seed } } };
    }),
  );
  return {
    one: [
      {
        name: 'eat',
        report,
        history,
        config: { seed: 1 },
        command: 'eat-dml evaluate runs/eat',
        // Of more points the map takes seconds.
        gathered: gatheredOf(LONG ? 300 : 100),
      },
    ],
    hostile: [
      {
        ...{ name: long, report: hostile, history, command: `eat-dml evaluate ${long}` },
        gathered: { ...gatheredOf(60, 40), attack: long },
      },
    ],
    named: [
      {
        ...{ name: 'eat', report: { ...report, classNames: { 0: 'ant', 2: '<b>bee</b>', 4: 'wasp' } } },
        gathered: {
          ...few,
          names: files,
          pictures: few.pictures.map((picture) => ({ ...picture, name: files[picture.sample / 2] })),
        },
      },
    ],
    several: [...methods, { name: long, report: methods[0].report, history }],
  };
}
