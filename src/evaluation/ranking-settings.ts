import { type AttackNorm, pgd } from '../attacks/index.js';

/** Steps that RobRank takes. */
export const RANKING_STEPS = 32;

/** The settings that RobRank attacks by: each step 3/77 of the radius, from the clean image. */
export function rankingSettings({ norm, epsilon, steps }: { norm: AttackNorm; epsilon: number; steps: number }) {
  return pgd({ norm, epsilon, steps, stepSize: (3 / 77) * epsilon, randomStart: false });
}
