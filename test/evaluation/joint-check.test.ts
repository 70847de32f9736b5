import { describe, expect, it } from 'vitest';
import { objective, pgd } from '../../src/attacks/index.js';
import type { AttackResult } from '../../src/evaluation/index.js';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { allowance, jointCheck } from '../../src/evaluation/sanity/joint.js';

const COUNT = 100;
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
/** Two clusters of which each holds a tenth of the other class: NMI 0.531 from whatever start. */
const data = Float32Array.from(labels, (label, i) => ((i % 20 < 2 ? 1 - label : label) === 0 ? 0 : 10) + 0.001 * i);
const scoring = { k: 2, seed: 1, clusterRestarts: 3 };
const clean = new MeasuredSet({ data, rows: COUNT, cols: 1 }, labels, scoring);
const plans = ['joint-pairwise', 'proxy'].map((name) => ({
  name,
  objective: objective(name),
  settings: pgd({ epsilon: 0.1 }),
}));
const under = (name: string, nmi: number | null) => ({ name, scores: { nmi } }) as AttackResult;

describe('the check of joint objectives', () => {
  it('allows 0.5 / sqrt n above clean, and no more', async () => {
    const before = (await clean.scores()).nmi!;
    expect(before).toBeCloseTo(0.531, 3);
    const check = (nmi: number) => jointCheck(plans, [under('joint-pairwise', nmi)], clean, scoring);
    expect(await check(before + 0.049)).toMatchObject({ name: 'joint-objectives', passed: true });
    const failed = await check(before + 0.051);
    expect(failed).toMatchObject({
      passed: false,
      detail: 'NMI 0.582 under joint-pairwise, 0.531 clean, 0.050 by chance',
    });
  });

  it('leaves out what attacks image by image, and what was not made', async () => {
    const attacks = [under('joint-pairwise', null), under('proxy', 0.99)];
    expect((await jointCheck(plans, attacks, clean, scoring)).passed).toBe(null);
  });

  it('allows three sd of the values that seeds give, where that is more', () => {
    // Deviations of 1, 0 and -1 hundredths: an sd of one.
    expect(allowance([0.51, 0.5, 0.49], 10_000)).toBeCloseTo(0.03, 10);
    expect(allowance([0.5, 0.5, 0.5], 10_000)).toBe(0.005);
  });
});
