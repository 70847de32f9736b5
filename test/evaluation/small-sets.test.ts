import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mpgd, objective, pgd } from '../../src/attacks/index.js';
import { subset } from '../../src/data/index.js';
import { type EvaluationReport, evaluate, evaluateRanking, METRICS } from '../../src/evaluation/index.js';
import { CLUSTER_METRICS, worstCase } from '../../src/evaluation/scores.js';
import { plan } from '../../src/evaluation/suites/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { compare, comparisonText, reportHtml, reportText } from '../../src/report/index.js';
import { standard, type TrainedEnsemble, train } from '../../src/training/index.js';
import { fewOf, LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { briefAttacks, QUICKER } from './brief.js';
import { passChecks } from './without-checks.js';

/** Labels 10, 11, 12, 13, 10, ...: the first four images are one of each class. */
const data = tinyImages();
const all = Int32Array.from({ length: data.length }, (_, i) => i);
const sets = {
  'one image of each class': subset(data, all.slice(0, 4)),
  'two images, of two classes': subset(data, [0, 1]),
  'two images, of one class': subset(data, [0, 4]),
  'one class': subset(
    data,
    all.filter((i) => i % 4 === 0),
  ),
  'one image': subset(data, [0]),
  'a class of one image beside others': subset(data, [0, 4, 8, 1, 5, 2]),
};
const retrieval = METRICS.filter((metric) => !(CLUSTER_METRICS as readonly string[]).includes(metric));
const options = { allowSeen: true, backend: QUICKER, epsilon: 0.1, partial: [0.5], transfer: true, bootstrap: 100 };
let ensemble: TrainedEnsemble;

beforeAll(async () => {
  const model = convEmbedder({ dimension: 4, width: 2 });
  const method = standard({ members: 2 });
  ensemble = await train({ data, model, method, epochs: 8, learningRate: 0.01, batch: { size: 12 }, backend: QUICKER });
});

afterAll(() => ensemble.dispose());

const reports = new Map<string, Promise<EvaluationReport>>();

/** Of a set by its name, made once. */
function reportOf(name: keyof typeof sets): Promise<EvaluationReport> {
  const made = reports.get(name) ?? evaluate(ensemble, sets[name], { ...options, attacks: briefAttacks() });
  reports.set(name, made);
  return made;
}

/** Every number of the report is one, and every null has its reason. */
function expectWhole(report: EvaluationReport): void {
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  for (const metric of METRICS) {
    const values = [report.clean[metric], ...report.attacks.filter((a) => !a.notRun).map((a) => a.scores[metric])];
    for (const value of values) expect(value === null).toBe(metric in report.notDefined);
    expect(report.worst.scores[metric] === null).toBe(metric in report.notDefined);
    expect(report.worst.by[metric] === null).toBe(metric in report.notDefined);
  }
  for (const { notRun, scores } of report.attacks) {
    if (notRun) expect(Object.values(scores)).toEqual(METRICS.map(() => null));
  }
  for (const { intervals } of [report, ...report.attacks]) {
    for (const [metric, ends] of Object.entries(intervals!)) {
      if (metric in report.notDefined) expect(ends).toBeNull();
      else if (ends) expect(ends[0]).toBeLessThanOrEqual(ends[1]);
    }
  }
  expect(report.perClass.reduce((sum, { images }) => sum + images, 0)).toBe(report.manifest.samples);
  expect(report.perSample.recallAt1 === null).toBe('recallAt1' in report.notDefined);
  for (const { passed, detail } of report.checks) expect(passed === null).toBe(detail.startsWith('not made: '));
}

describe('a small set is evaluated as far as it goes:', () => {
  it.each(fewOf(Object.keys(sets) as (keyof typeof sets)[], 3))('%s', async (name) => {
    const before = tf.memory().numTensors;
    const report = await reportOf(name);
    expect(tf.memory().numTensors).toBe(before);
    expectWhole(report);
    expect(report.checks).toHaveLength(7);
    const comparison = compare([{ method: 'x', report }], [...METRICS]);
    // The JSON in it has null for what is not defined, as every JSON of a report.
    const page = (await reportHtml([{ name: 'at', report }])).replace(/<script.*?<\/script>/gs, '');
    for (const text of [reportText(report), comparisonText(comparison), page]) {
      expect(text).not.toMatch(/NaN|null|undefined/);
    }
    for (const metric of Object.keys(report.notDefined)) expect(comparison.methods[0].worstBy[metric]).toBeNull();
  });

  it('retrieval is not defined where no class has two images, and says so', async () => {
    const report = await reportOf('one image of each class');
    expect(Object.keys(report.notDefined).sort()).toEqual([...retrieval].sort());
    expect(CLUSTER_METRICS.every((metric) => typeof report.clean[metric] === 'number')).toBe(true);
    expect(reportText(report)).toMatch(/^Worst case: NMI \d\.\d{3} \(.*\), Recall@1 n\/a$/m);
    expect(reportText(report)).toContain(
      'Recall@1, Recall@2, Recall@4, Recall@8, MAP@R, R-prec. n/a: no image has another',
    );
    expect(report.transfer!.recallAt1.flat()).toEqual(new Array(9).fill(null));
    expect(report.transfer!.nmi.flat().every(Number.isFinite)).toBe(true);
  });

  it('of one class nothing is said about telling classes apart', async () => {
    const report = await evaluate(ensemble, sets['one class'], { ...options, suite: 'standard' });
    expect(Object.keys(report.notDefined).sort()).toEqual(['ami', 'ari', 'nmi']);
    expect(report.clean.recallAt1).toBe(1);
    expect(report.attacks.filter(({ notRun }) => !notRun).map(({ objective }) => objective)).toEqual([
      'embedding-shift',
      'joint-pairwise',
      'embedding-shift',
      'composite',
    ]);
    expect(report.checks.every(({ passed }) => passed === null)).toBe(true);
    expect(reportText(report)).toContain(
      'square-100/centroid-random-target not run: it needs 2 classes, and the images are all of one class',
    );
    expect(reportText(report)).toContain(
      'sanity checks: 0 of 7 passed\n  more-steps, more-epsilon, whole-box, black-box, gradients, collapse: not made: ',
    );
    expect(report.transfer).toMatchObject({
      notRun: expect.stringContaining('2 classes'),
      nmi: new Array(3).fill([null, null, null]),
    });
    expect(report.partial!.map(({ notRun, attacked }) => [notRun === undefined, attacked])).toEqual([
      ...Array(7).fill([false, 0]),
      ...Array(2).fill([true, 6]),
    ]);
  });

  it('images without another of their class do not count as lost', async () => {
    passChecks();
    const none = { attacks: [], partial: [], transfer: false, bootstrap: 0 };
    const report = await evaluate(ensemble, sets['a class of one image beside others'], { ...options, ...none });
    expect(report.perSample.recallAt1).toBe(report.clean.recallAt1);
  });

  it('by count as well, however large or small', async () => {
    const attacks = [
      plan(mpgd({ epsilon: 0.1, steps: 3 }), objective('soft-kmeans')),
      plan(pgd({ epsilon: 0.1, steps: 3 }), objective('retrieval')),
    ];
    // The sets above have the checks.
    if (!LONG) passChecks();
    for (const count of fewOf([2, 3, 1e6, 48], 2)) {
      const report = await evaluate(ensemble, data, { ...options, partial: [], transfer: false, attacks, count });
      expectWhole(report);
      if (LONG) expect(report.checks).toHaveLength(7);
      expect(report.manifest.samples).toBe(Math.min(count, 48));
    }
    for (const count of [1, 0, -1, 2.5, NaN, Infinity, '100' as never]) {
      await expect(evaluate(ensemble, data, { ...options, count })).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
        message: expect.stringContaining('count'),
      });
    }
  });
});

describe('evaluateRanking of a small set', () => {
  it.each<[keyof typeof sets, string[]]>([
    ['one image of each class', ['ES:R', 'GTM', 'LTM']],
    ['two images, of two classes', ['ES:R', 'GTM', 'LTM']],
    ['two images, of one class', ['GTM', 'LTM']],
    ['one class', ['GTM', 'LTM']],
    ['one image', ['CA+', 'CA-', 'ES:D', 'ES:R', 'GTM', 'GTT', 'LTM', 'QA+', 'QA-', 'TMA']],
    ['a class of one image beside others', []],
  ])('%s leaves undefined: %j', async (name, names) => {
    const before = tf.memory().numTensors;
    const { scores, ers, notDefined } = await evaluateRanking(ensemble, sets[name], {
      backend: QUICKER,
      steps: 2,
      allowSeen: true,
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(Object.keys(notDefined).sort()).toEqual(names);
    expect(Object.keys(scores)).toHaveLength(10);
    for (const [measure, value] of Object.entries(scores)) {
      expect(value === null ? 'null' : Number.isFinite(value)).toBe(names.includes(measure) ? 'null' : true);
    }
    expect(ers === null).toBe(names.length > 0);
  });
});

describe('worstCase', () => {
  it('passes over what is not defined', () => {
    const some = Object.fromEntries(METRICS.map((metric) => [metric, 0.5])) as EvaluationReport['clean'];
    const none = Object.fromEntries(METRICS.map((metric) => [metric, null])) as EvaluationReport['clean'];
    const { scores, by } = worstCase([
      { name: 'clean', scores: { ...some, recallAt1: null } },
      { name: 'not run', scores: none },
    ]);
    expect([scores.nmi, by.nmi, scores.recallAt1, by.recallAt1]).toEqual([0.5, 'clean', null, null]);
  });
});
