import { describe, expect, it } from 'vitest';
import { type AttackSettings, apgd, fgsm, mpgd, objective, pgd, square } from '../../src/attacks/index.js';
import { curveOf, curvePlans, stepCurveOf, stepPlans } from '../../src/evaluation/curve.js';
import { evaluate, METRICS, type Scores, suite } from '../../src/evaluation/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { radiusText } from '../../src/radius-text.js';
import { tinyImages } from '../models/tiny-images.js';
import { QUICKER } from './brief.js';
import { withoutChecks } from './without-checks.js';

withoutChecks();

const even = (value: number) => Object.fromEntries(METRICS.map((metric) => [metric, value])) as Scores;
const attack = (name: string, value: number) => ({ name, objective: name, scores: even(value) }) as never;

describe('a curve of radii', () => {
  it('has the suite at each radius but 0 and the evaluation’s own, as the suite makes it for that radius', () => {
    for (const name of ['quick', 'standard'] as const) {
      const points = curvePlans(suite(name, { epsilon: 0.1 }), { epsilon: 0.1, epsilons: [0.2, 0, 0.1, 0.05, 0.2] });
      expect(points.map(({ at }) => at)).toEqual([0.05, 0.2]);
      for (const { at: epsilon, plans } of points) {
        const made = suite(name, { epsilon }).map(({ settings }) => settings);
        for (const [i, { settings }] of plans.entries()) {
          for (const [key, value] of Object.entries(made[i])) {
            const own = (settings as unknown as Record<string, unknown>)[key];
            if (typeof value === 'number') expect(own).toBeCloseTo(value, 12);
            else expect(own).toEqual(value);
          }
        }
      }
    }
  });

  it('scales the steps of attacks of your own, and leaves one without length as it is', () => {
    const own = [
      { name: 'a', objective: objective('proxy'), settings: pgd({ epsilon: 0.1, steps: 3, stepSize: 0.04 }) },
      { name: 'b', objective: objective('proxy'), settings: square({ epsilon: 0, steps: 3 }) },
    ];
    const [{ plans }] = curvePlans(own, { epsilon: 0.1, epsilons: [0.05] });
    expect(plans.map(({ settings }) => settings.epsilon)).toEqual([0.05, 0.05]);
    expect(plans[0].settings).toMatchObject({ stepSize: 0.02 });
    expect(plans.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('never rises: what a smaller ball holds a larger one holds, and is named by its radius', () => {
    const curve = curveOf(
      [0.2, 0, 0.1, 0.3],
      even(0.9),
      new Map([
        [0.1, [attack('a', 0.5)]],
        [0.2, [attack('a', 0.6), attack('composite', 0.55)]],
        [0.3, [attack('a', 0.3), attack('composite', 0.25)]],
      ]),
    );
    expect(curve.map(({ epsilon, scores, by }) => [epsilon, scores.nmi, by.nmi])).toEqual([
      [0, 0.9, 'clean'],
      [0.1, 0.5, 'a'],
      [0.2, 0.5, 'a at 0.1'],
      [0.3, 0.25, 'composite'],
    ]);
  });

  it('says 255ths as people do', () => {
    expect([8 / 255, 1 / 255, 0.1, 0.5, 77 / 255, 0].map(radiusText)).toEqual([
      ...['8/255', '1/255', '0.1', '0.5', '77/255', '0'],
    ]);
    // What is shorter as it is stays, as it was written.
    expect([0.2, 1, 2, 2 * (8 / 255), 3 * 0.1].map(radiusText)).toEqual(['0.2', '1', '2', '16/255', '0.3']);
  });

  it('agrees with evaluations at its radii, one by one', async () => {
    const data = tinyImages({ perClass: 6 });
    const ensemble = new Ensemble([convEmbedder({ dimension: 4, width: 2 }).build(data.shape, 1)]);
    const attacks = (epsilon: number) => [
      { name: 'shift', objective: objective('embedding-shift'), settings: pgd({ epsilon, steps: 3 }) },
    ];
    const options = { backend: QUICKER, epsilon: 0.2, bootstrap: 0 };
    const progress: { attack: string; done: number; total: number }[] = [];
    const { curve, ...report } = await evaluate(ensemble, data, {
      ...options,
      attacks: attacks(0.2),
      epsilons: [0, 0.1, 0.2],
      onProgress: ({ attack, done, total }) => progress.push({ attack, done, total }),
    });
    const smaller = await evaluate(ensemble, data, { ...options, epsilon: 0.1, attacks: attacks(0.1) });
    expect(curve!.map(({ epsilon }) => epsilon)).toEqual([0, 0.1, 0.2]);
    expect(curve![0].scores).toEqual(report.clean);
    expect(curve![1].scores).toEqual(smaller.worst.scores);
    for (const metric of METRICS) {
      expect(curve![2].scores[metric]).toBe(Math.min(report.worst.scores[metric]!, smaller.worst.scores[metric]!));
    }
    const all = 2 * data.labels.length;
    expect(progress.at(-1)).toEqual({ attack: 'shift at 0.1', done: all, total: all });
    await expect(evaluate(ensemble, data, { ...options, epsilons: [2] })).rejects.toThrow(
      'Expected a number from 0 to 1 (in linf, in [0, 1] pixel units) for epsilons[0] but received 2; did you mean 2/255?',
    );
    await expect(evaluate(ensemble, data, { ...options, epsilons: [] })).rejects.toThrow(
      /a list of radii for epsilons/,
    );
    ensemble.dispose();
  });
});

describe('a curve of steps', () => {
  it('has every attack with each number of steps, as its maker gives it; but one of a single step as it is', () => {
    const ball = { epsilon: 0.1, restarts: 2 };
    const plan = (settings: AttackSettings) => ({ name: settings.name, objective: objective('proxy'), settings });
    const own = [fgsm({ epsilon: 0.1 }), pgd({ ...ball, steps: 20 }), apgd({ ...ball, steps: 50 }), mpgd(ball)].map(
      plan,
    );
    const points = stepPlans(own, [50, 1, 50, 5]);
    expect(points.map(({ at }) => at)).toEqual([1, 5, 50]);
    for (const { at: steps, plans } of points) {
      const made = [pgd({ ...ball, steps }), apgd({ ...ball, steps }), mpgd({ ...ball, steps })];
      expect(plans.map(({ settings }) => settings)).toEqual([fgsm({ epsilon: 0.1 }), ...made]);
    }
    expect(points.map(({ nameOf }) => nameOf('pgd'))).toEqual(['pgd in 1 step', 'pgd in 5 steps', 'pgd in 50 steps']);
    for (const { at, plans, nameOf } of stepPlans(suite('standard', { epsilon: 0.1 }), [1, 3])) {
      for (const { name, settings } of plans.filter(({ settings }) => settings.steps > 1)) {
        expect(name).toContain(`-${at}/`);
        expect(nameOf(name)).toBe(name);
        expect(settings.steps).toBe(at);
      }
    }
  });

  it('has attacks once that differ in their steps alone, and each by a name of its own', () => {
    const goal = objective('proxy');
    const [other, ball] = [objective('embedding-shift'), { epsilon: 0.1 }];
    const own = [
      { name: 'pgd-20/proxy', objective: goal, settings: pgd({ ...ball, steps: 20 }) },
      { name: 'pgd-50/proxy', objective: goal, settings: pgd({ ...ball, steps: 50 }) },
      { name: 'pgd-40/proxy', objective: goal, settings: pgd({ ...ball, steps: 40, restarts: 3 }) },
      { name: 'pgd-20/other', objective: other, settings: pgd({ ...ball, steps: 20 }) },
    ];
    const [{ plans }] = stepPlans(own, [5]);
    expect(plans.map(({ name }) => name)).toEqual(['pgd-5/proxy', 'pgd-40/proxy', 'pgd-5/other']);
    expect(plans[1].settings).toEqual(pgd({ ...ball, steps: 5, restarts: 3 }));
  });

  it('never rises: who may take more steps may take fewer, and the attack is named by its own', () => {
    const curve = stepCurveOf(
      [20, 1, 5],
      even(0.9),
      new Map([
        [1, [attack('a', 0.7)]],
        [5, [attack('a', 0.4)]],
        [20, [attack('a', 0.5)]],
      ]),
    );
    expect(curve.map(({ steps, scores, by }) => [steps, scores.nmi, by.nmi])).toEqual([
      [1, 0.7, 'a'],
      [5, 0.4, 'a'],
      [20, 0.4, 'a in 5 steps'],
    ]);
  });

  it('agrees with evaluations of as many steps, one by one, and lies beside the curve of radii', async () => {
    const data = tinyImages({ perClass: 6 });
    const ensemble = new Ensemble([convEmbedder({ dimension: 4, width: 2 }).build(data.shape, 1)]);
    const attacks = (steps: number) => [
      { name: 'shift', objective: objective('embedding-shift'), settings: pgd({ epsilon: 0.2, steps }) },
    ];
    const options = { backend: QUICKER, epsilon: 0.2, bootstrap: 0 };
    const told: string[] = [];
    const { stepCurve, curve, ...report } = await evaluate(ensemble, data, {
      ...{ ...options, attacks: attacks(4), stepCounts: [6, 1], epsilons: [0.2] },
      onProgress: ({ attack }) => told.push(attack),
    });
    expect(new Set(told)).toEqual(new Set(['shift', 'shift in 1 step', 'shift in 6 steps']));
    expect(curve!.map(({ epsilon, scores }) => [epsilon, scores])).toEqual([[0.2, report.worst.scores]]);
    expect(stepCurve!.map(({ steps }) => steps)).toEqual([1, 6]);
    const [one, six] = [
      await evaluate(ensemble, data, { ...options, attacks: attacks(1) }),
      await evaluate(ensemble, data, { ...options, attacks: attacks(6) }),
    ];
    // pgd in one step is as long as its maker has it.
    expect(stepCurve![0].scores).toEqual(one.worst.scores);
    for (const metric of METRICS) {
      expect(stepCurve![1].scores[metric]).toBe(Math.min(one.worst.scores[metric]!, six.worst.scores[metric]!));
    }
    await expect(evaluate(ensemble, data, { ...options, stepCounts: [0] })).rejects.toThrow(/stepCounts\[0\]/);
    await expect(evaluate(ensemble, data, { ...options, stepCounts: [] })).rejects.toThrow(
      /a list of numbers of steps for stepCounts/,
    );
    ensemble.dispose();
  });
});
