import { isDeepStrictEqual } from 'node:util';
import { amount } from '../amount.js';
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

/** The worst case of attacks with at most so many steps: over clean images, and attacks of this count and of the smaller ones of the curve. */
export interface StepPoint extends WorstCase {
  steps: number;
}

/** The attacks of one point of a curve, and what they are called beside those of others. */
export interface PointPlans {
  at: number;
  plans: AttackPlan[];
  nameOf(name: string): string;
}

/** The plans at every radius of the curve that needs attacks of its own: not at 0, nor at the evaluation's radius. */
export function curvePlans(
  plans: readonly AttackPlan[],
  { epsilons = [], epsilon }: Pick<EvaluateSettings, 'epsilons' | 'epsilon'>,
): PointPlans[] {
  const others = sorted(epsilons).filter((radius) => radius !== 0 && radius !== epsilon);
  return others.map((at) => {
    return { at, plans: plans.map((plan) => planAt(plan, at)), nameOf: (name) => nameAt(name, at) };
  });
}

/** The plans with each number of steps; an attack of a single step has no other, and those that differ in their steps alone become one. */
export function stepPlans(plans: readonly AttackPlan[], stepCounts: readonly number[] = []): PointPlans[] {
  return sorted(stepCounts).map((at) => {
    const made: AttackPlan[] = [];
    for (const plan of plans) {
      const { name, objective, settings } = planOf(plan, at);
      if (made.some((other) => other.objective === objective && isDeepStrictEqual(other.settings, settings))) continue;
      made.push({ name: made.some((other) => other.name === name) ? plan.name : name, objective, settings });
    }
    return { at, plans: made, nameOf: (name) => nameIn(name, at) };
  });
}

/** The same attack in another ball; its steps are as long by the radius. */
function planAt({ name, objective, settings }: AttackPlan, epsilon: number): AttackPlan {
  const scale = settings.epsilon > 0 ? epsilon / settings.epsilon : 1;
  const steps = 'stepSize' in settings && { stepSize: settings.stepSize * scale };
  return { name, objective, settings: { ...settings, epsilon, ...steps } as AttackSettings };
}

/** The same attack in other steps, which its name tells where it told them; those of one length come as far together. */
function planOf({ name, objective, settings }: AttackPlan, steps: number): AttackPlan {
  if (settings.steps === 1) return { name, objective, settings };
  const length = settings.rule === 'fixed' && { stepSize: (settings.stepSize * settings.steps) / steps };
  const own = name.replace(stepsIn(settings.steps), `-${steps}`);
  return { name: own, objective, settings: { ...settings, steps, ...length } as AttackSettings };
}

/** An attack of another radius than the one that is spoken of. */
function nameAt(name: string, epsilon: number): string {
  return `${name} at ${radiusText(epsilon)}`;
}

/** An attack of another number of steps than the one that is spoken of, unless its name tells them. */
function nameIn(name: string, steps: number): string {
  return stepsIn(steps).test(name) ? name : `${name} in ${amount(steps, 'step')}`;
}

/** How a suite's names tell steps: pgd-20/centroid-away. */
function stepsIn(steps: number): RegExp {
  return new RegExp(`-${steps}(?=/|$)`);
}

/** The attacks of points by theirs: a radius, or a number of steps. */
type Attacks = ReadonlyMap<number, readonly AttackResult[]>;

/**
 * The curve, radius by radius, of attacks by theirs. What a smaller ball holds a larger one holds as well: no point lies above one
 * before it, and an attack of a smaller radius is called by it.
 */
export function curveOf(epsilons: readonly number[], clean: Scores, attacks: Attacks): CurvePoint[] {
  return worstBy(epsilons, nameAt, clean, attacks).map(({ at, ...worst }) => ({ epsilon: at, ...worst }));
}

/** The curve by numbers of steps, likewise: who may take more may take fewer. */
export function stepCurveOf(stepCounts: readonly number[], clean: Scores, attacks: Attacks): StepPoint[] {
  return worstBy(stepCounts, nameIn, clean, attacks).map(({ at, ...worst }) => ({ steps: at, ...worst }));
}

type NameOf = (name: string, at: number) => string;

function worstBy(points: readonly number[], nameOf: NameOf, clean: Scores, attacks: Attacks) {
  return sorted(points).map((end, i, all) => {
    const within = all.slice(0, i + 1).flatMap((at) =>
      (attacks.get(at) ?? []).map(({ name, scores }) => {
        return { name: at === end ? name : nameOf(name, at), scores };
      }),
    );
    return { at: end, ...worstCase([{ name: 'clean', scores: clean }, ...within]) };
  });
}

function sorted(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
