import type { AttackSettings } from '../attacks/index.js';
import { radiusText } from '../radius-text.js';
import type { AttackResult } from './evaluate.js';
import type { EvaluateSettings } from './options.js';
import { type Scores, type WorstCase, worstCase } from './scores.js';
import type { AttackPlan } from './suites/index.js';

/** The worst case at one radius: over clean images, and attacks of this radius and of the smaller ones of the curve. */
export interface CurvePoint extends WorstCase {
  epsilon: number;
}

/** The attacks of one radius. */
export interface RadiusPlans {
  epsilon: number;
  plans: AttackPlan[];
}

/** The plans at every radius of the curve that needs attacks of its own: not at 0, nor at the evaluation's radius. */
export function curvePlans(
  plans: readonly AttackPlan[],
  { epsilons = [], epsilon }: Pick<EvaluateSettings, 'epsilons' | 'epsilon'>,
): RadiusPlans[] {
  const others = sorted(epsilons).filter((radius) => radius !== 0 && radius !== epsilon);
  return others.map((radius) => ({ epsilon: radius, plans: plans.map((plan) => planAt(plan, radius)) }));
}

/** The same attack in another ball; its steps are as long by the radius. */
function planAt({ name, objective, settings }: AttackPlan, epsilon: number): AttackPlan {
  const scale = settings.epsilon > 0 ? epsilon / settings.epsilon : 1;
  const steps = 'stepSize' in settings && { stepSize: settings.stepSize * scale };
  return { name, objective, settings: { ...settings, epsilon, ...steps } as AttackSettings };
}

/** An attack of another radius than the one that is spoken of. */
export function nameAt(name: string, epsilon: number): string {
  return `${name} at ${radiusText(epsilon)}`;
}

/**
 * The curve, radius by radius, of attacks by theirs. What a smaller ball holds a larger one holds as well: no point lies above one
 * before it, and an attack of a smaller radius is called by it.
 */
export function curveOf(
  epsilons: readonly number[],
  clean: Scores,
  attacks: ReadonlyMap<number, readonly AttackResult[]>,
): CurvePoint[] {
  const radii = sorted(epsilons);
  return radii.map((epsilon) => {
    const within = radii
      .filter((radius) => radius <= epsilon)
      .flatMap((radius) =>
        (attacks.get(radius) ?? []).map(({ name, scores }) => {
          return { name: radius === epsilon ? name : nameAt(name, radius), scores };
        }),
      );
    return { epsilon, ...worstCase([{ name: 'clean', scores: clean }, ...within]) };
  });
}

function sorted(epsilons: readonly number[]): number[] {
  return [...new Set(epsilons)].sort((a, b) => a - b);
}
