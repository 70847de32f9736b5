import {
  type AttackNorm,
  type AttackSettings,
  apgd,
  carliniWagner,
  fgsm,
  miFgsm,
  type Objective,
  objective,
  pgd,
  square,
} from '../attacks/index.js';
import { EatDmlError } from '../errors.js';

/** One attack of an evaluation. */
export interface AttackPlan {
  /** As the report calls it; every plan's name is different. */
  name: string;
  objective: Objective;
  settings: AttackSettings;
}

export type SuiteName = 'quick' | 'standard' | 'thorough';

export interface SuiteOptions {
  norm: AttackNorm;
  epsilon: number;
  /** Random restarts of each PGD and APGD; the suite's own number when absent. */
  restarts?: number;
}

/** The three objectives that hurt clustering most, each in another way. */
const STRONGEST = ['embedding-shift', 'centroid-random-target', 'joint-pairwise'];
const ALL = [...STRONGEST, 'joint-set', 'soft-kmeans', 'proxy', 'centroid-margin'];

/**
 * The attacks of a suite. `quick`: PGD of 10 steps on the three strongest objectives. `standard`: PGD of 20 steps on all
 * seven, APGD of 20 on two, FGSM, MI-FGSM, and Square with 100 queries. `thorough`: the same with 50 steps and 3
 * restarts, APGD of 100 steps on four objectives, Square with 1000 queries, and in l2 Carlini and Wagner's.
 * Square is left out in l1, where it does not exist.
 */
export function suite(name: SuiteName, { norm, epsilon, restarts }: SuiteOptions): AttackPlan[] {
  const withPgd = (steps: number, defaultRestarts: number, objectives: string[]) => {
    const settings = pgd({ norm, epsilon, steps, restarts: restarts ?? defaultRestarts });
    return objectives.map((objectiveName) => plan(settings, objectiveName));
  };
  const withApgd = (steps: number, defaultRestarts: number, objectives: string[]) => {
    const settings = apgd({ norm, epsilon, steps, restarts: restarts ?? defaultRestarts });
    return objectives.map((objectiveName) => plan(settings, objectiveName));
  };
  const others = (steps: number, queries: number) => [
    plan(fgsm({ norm, epsilon }), 'proxy'),
    plan(miFgsm({ norm, epsilon, steps }), 'embedding-shift'),
    ...(norm === 'l1' ? [] : [plan(square({ norm, epsilon, steps: queries }), 'centroid-random-target')]),
  ];
  const targeted = ['centroid-random-target', 'joint-set'];
  if (name === 'quick') return withPgd(10, 1, STRONGEST);
  if (name === 'standard') return [...withPgd(20, 1, ALL), ...withApgd(20, 1, targeted), ...others(10, 100)];
  if (name === 'thorough') {
    const long = withApgd(100, 1, [...targeted, 'embedding-shift', 'soft-kmeans']);
    const short = norm === 'l2' ? [plan(carliniWagner({ epsilon }), 'centroid-margin')] : [];
    return [...withPgd(50, 3, ALL), ...long, ...others(20, 1000), ...short];
  }
  throw new EatDmlError('ERR_ARGUMENT', `Expected a suite among quick, standard, thorough but received "${name}".`);
}

function plan(settings: AttackSettings, objectiveName: string): AttackPlan {
  const goal = objective(objectiveName);
  const attack = settings.steps === 1 ? settings.name : `${settings.name}-${settings.steps}`;
  // What runAttack does anyway where the clean image is a flat top; said here so that the report says it.
  const randomStart = settings.randomStart || goal.flatAtStart;
  return { name: `${attack}/${objectiveName}`, objective: goal, settings: { ...settings, randomStart } };
}
