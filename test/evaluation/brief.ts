import type { Config } from '../../src/config/schema.js';
import { type AttackPlan, suite } from '../../src/evaluation/index.js';
import { devices } from '../../src/kernels/index.js';

/** For many passes over dozens of images: the addon's backend takes half the time of plain JavaScript, which is there always. */
export const QUICKER: 'native' | 'cpu' = devices().some(({ name, available }) => name === 'cpu' && available)
  ? 'native'
  : 'cpu';

/** The attacks of `quick` in a few steps: for tests of what an evaluation does with them, and not of what they reach. */
export function briefAttacks(epsilon = 0.1, steps = 3): AttackPlan[] {
  return suite('quick', { epsilon }).map((plan) => ({ ...plan, settings: { ...plan.settings, steps } as never }));
}

/** Of {@link briefAttacks} one that moves all images together, one on retrieval, and one within a batch. */
export function threeAttacks(epsilon?: number): AttackPlan[] {
  return briefAttacks(epsilon).filter((_, i) => i % 4 === 0);
}

/** Two attacks in a configuration, for tests of the command line. */
export const CONFIGURED_ATTACKS: NonNullable<Config['evaluation']>['attacks'] = [
  { objective: { name: 'centroid-margin' }, attack: { name: 'pgd', epsilon: 0.1, steps: 2 } },
  { objective: { name: 'retrieval' }, attack: { name: 'pgd', epsilon: 0.1, steps: 2 } },
];
