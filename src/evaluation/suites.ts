import { z } from 'zod';
import {
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
import { attackNorm, checkRadius, radius } from '../attacks/norm.js';
import { count, parse, parseOptions } from '../options.js';

/** One attack of an evaluation. */
export interface AttackPlan {
  /** As the report calls it; every plan's name is different. */
  name: string;
  objective: Objective;
  settings: AttackSettings;
}

/** The attacks of a suite in common. */
export const attackShape = {
  norm: attackNorm.default('linf').describe('of the balls that perturbations are kept in'),
  epsilon: radius.default(0.1).describe('radius of the attacks, in [0, 1] pixel units, measured in the norm'),
  restarts: count.optional().describe('random restarts of each PGD and APGD (default the suite’s own number)'),
};

const suiteOptions = z.strictObject(attackShape).check(checkRadius);

export type SuiteOptions = z.input<typeof suiteOptions>;

type Given = z.output<typeof suiteOptions>;

/** The three objectives that hurt clustering most, each in another way. */
const STRONGEST = ['embedding-shift', 'centroid-random-target', 'joint-pairwise'];
const ALL = [...STRONGEST, 'joint-set', 'soft-kmeans', 'proxy', 'centroid-margin'];
const TARGETED = ['centroid-random-target', 'joint-set'];

/** Every suite; a new one is one more entry. */
const SUITES = {
  quick: (given: Given) => withPgd(given, 10, 1, STRONGEST),
  standard: (given: Given) => [
    ...withPgd(given, 20, 1, ALL),
    ...withApgd(given, 20, TARGETED),
    ...others(given, 10, 100),
  ],
  thorough: (given: Given) => [
    ...withPgd(given, 50, 3, ALL),
    ...withApgd(given, 100, [...TARGETED, 'embedding-shift', 'soft-kmeans']),
    ...others(given, 20, 1000),
    ...(given.norm === 'l2' ? [plan(carliniWagner({ epsilon: given.epsilon }), 'centroid-margin')] : []),
  ],
};

export type SuiteName = keyof typeof SUITES;

/** A suite by its name, as a schema. */
export const suiteName = z.enum(Object.keys(SUITES) as [SuiteName, ...SuiteName[]]);

/**
 * The attacks of a suite. `quick`: PGD of 10 steps on the three strongest objectives. `standard`: PGD of 20 steps on all
 * seven, APGD of 20 on two, FGSM, MI-FGSM, and Square with 100 queries. `thorough`: the same with 50 steps and 3
 * restarts, APGD of 100 steps on four objectives, Square with 1000 queries, and in l2 Carlini and Wagner's.
 * Square is left out in l1, where it does not exist.
 */
export function suite(name: SuiteName, options: SuiteOptions): AttackPlan[] {
  return SUITES[parse(suiteName, name, 'suite')](parseOptions(suiteOptions, options));
}

function withPgd({ norm, epsilon, ...given }: Given, steps: number, restarts: number, objectives: string[]) {
  const settings = pgd({ norm, epsilon, steps, restarts: given.restarts ?? restarts });
  return objectives.map((objectiveName) => plan(settings, objectiveName));
}

function withApgd({ norm, epsilon, restarts }: Given, steps: number, objectives: string[]) {
  const settings = apgd({ norm, epsilon, steps, restarts });
  return objectives.map((objectiveName) => plan(settings, objectiveName));
}

function others({ norm, epsilon }: Given, steps: number, queries: number) {
  return [
    plan(fgsm({ norm, epsilon }), 'proxy'),
    plan(miFgsm({ norm, epsilon, steps }), 'embedding-shift'),
    ...(norm === 'l1' ? [] : [plan(square({ norm, epsilon, steps: queries }), 'centroid-random-target')]),
  ];
}

function plan(settings: AttackSettings, objectiveName: string): AttackPlan {
  const goal = objective(objectiveName);
  const attack = settings.steps === 1 ? settings.name : `${settings.name}-${settings.steps}`;
  // What runAttack does anyway where the clean image is a flat top; said here so that the report says it.
  const randomStart = settings.randomStart || goal.flatAtStart;
  return { name: `${attack}/${objectiveName}`, objective: goal, settings: { ...settings, randomStart } };
}
