import { describe, expect, it } from 'vitest';
import { objective, pgd, square } from '../../src/attacks/index.js';
import { curveOf, curvePlans } from '../../src/evaluation/curve.js';
import { evaluate, METRICS, type Scores, suite } from '../../src/evaluation/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { radiusText } from '../../src/radius-text.js';
import { tinyImages } from '../models/tiny-images.js';

const even = (value: number) => Object.fromEntries(METRICS.map((metric) => [metric, value])) as Scores;
const attack = (name: string, value: number) => ({ name, objective: name, scores: even(value) }) as never;

describe('a curve of radii', () => {
  it('has the suite at each radius but 0 and the evaluation’s own, as the suite makes it for that radius', () => {
    for (const name of ['quick', 'standard'] as const) {
      const points = curvePlans(suite(name, { epsilon: 0.1 }), { epsilon: 0.1, epsilons: [0.2, 0, 0.1, 0.05, 0.2] });
      expect(points.map(({ epsilon }) => epsilon)).toEqual([0.05, 0.2]);
      for (const { epsilon, plans } of points) {
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
  });

  it('agrees with evaluations at its radii, one by one', async () => {
    const data = tinyImages({ perClass: 6 });
    const ensemble = new Ensemble([convEmbedder({ dimension: 4, width: 2 }).build(data.shape, 1)]);
    const attacks = (epsilon: number) => [
      { name: 'shift', objective: objective('embedding-shift'), settings: pgd({ epsilon, steps: 3 }) },
    ];
    const options = { backend: 'cpu' as const, epsilon: 0.2, bootstrap: 0 };
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
