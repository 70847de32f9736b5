import { z } from 'zod';
import {
  type AttackSettings,
  apgd,
  fgsm,
  miFgsm,
  mpgd,
  type Objective,
  objective,
  pgd,
  square,
} from '../../attacks/index.js';
import { attackNorm, checkRadius, radius } from '../../attacks/norm.js';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';

/** One attack of an evaluation. */
export interface AttackPlan {
  /** As the report calls it; every plan's name is different. */
  name: string;
  objective: Objective;
  settings: AttackSettings;
  /** Tried with these settings first, on a sample of the images: of all that are tried, those that do most are run. */
  probe?: AttackSettings;
}

/** The attacks of a suite in common. */
export const attackShape = {
  norm: attackNorm.default('linf').describe('of the balls that perturbations are kept in'),
  epsilon: radius.default(0.1).describe('radius of the attacks, in [0, 1] pixel units, measured in the norm'),
  restarts: count.optional().describe('random restarts of each PGD and APGD (default the suite’s own number)'),
};

const suiteOptions = z.strictObject(attackShape).check(checkRadius);

/** Options of {@link suite}: norm and radius of its attacks, in [0, 1] pixel units. */
export type SuiteOptions = z.input<typeof suiteOptions>;

/** {@link SuiteOptions} with their defaults. */
export type Given = z.output<typeof suiteOptions>;

/** By the class means and by the batch, each in another way. */
export const VARIED = ['centroid-margin', 'centroid-random-target', 'embedding-shift', 'joint-pairwise'];
export const ALL = [...VARIED, 'joint-set', 'proxy'];
export const TARGETED = ['centroid-random-target', 'joint-set'];
/** Temperatures of soft-kmeans: which one does most differs from model to model, and much. */
export const TEMPERATURES = [0.05, 0.075, 0.1, 0.2];

/** A suite, as a part: all have the same options. */
export function suitePart<const Name extends string>(name: Name, title: string, plans: (given: Given) => AttackPlan[]) {
  return part(name, title, suiteOptions, (options) => plans(parseOptions(suiteOptions, options)));
}

export function withPgd({ norm, epsilon, ...given }: Given, steps: number, restarts: number, objectives: string[]) {
  const settings = pgd({ norm, epsilon, steps, restarts: given.restarts ?? restarts });
  return objectives.map((name) => plan(settings, objective(name)));
}

export function withApgd({ norm, epsilon, restarts }: Given, steps: number, objectives: string[]) {
  const settings = apgd({ norm, epsilon, steps, restarts });
  return objectives.map((name) => plan(settings, objective(name)));
}

/** What does most to the clustering: through it, all images together, at every temperature. */
export function onClusters(
  { norm, epsilon, ...given }: Given,
  steps: number,
  restarts: number,
  temperatures: number[],
) {
  const settings = mpgd({ norm, epsilon, steps, restarts: given.restarts ?? restarts });
  return temperatures.map((temperature) => softKmeans(settings, temperature));
}

/**
 * What does most to retrieval: towards all other classes at once, and towards the nearest, the second nearest, ... alone. A query needs
 * one way only, and the composite takes the one that it found.
 */
export function onRetrieval({ norm, epsilon, ...given }: Given, steps: number, restarts: number, nearest: number) {
  const settings = mpgd({ norm, epsilon, steps, restarts: given.restarts ?? restarts });
  const ranks = Array.from({ length: nearest }, (_, i) => i + 1);
  return [plan(settings, objective('retrieval')), ...ranks.map((towards) => retrieval(settings, { towards }))];
}

/** Called `mpgd-20/retrieval-1`. */
export function retrieval(
  settings: AttackSettings,
  options: { temperature: number } | { towards: number },
): AttackPlan {
  const own = plan(settings, objective('retrieval', options));
  return { ...own, name: `${own.name}-${Object.values(options)[0]}` };
}

/** Called `mpgd-20/soft-kmeans-0.1`. */
export function softKmeans(settings: AttackSettings, temperature: number): AttackPlan {
  const own = plan(settings, objective('soft-kmeans', { temperature }));
  return { ...own, name: `${own.name}-${temperature}` };
}

/** FGSM, MI-FGSM and, but in l1, where it does not exist, Square. */
export function others({ norm, epsilon }: Given, steps: number, queries: number) {
  const toOthers = objective('centroid-random-target');
  return [
    plan(fgsm({ norm, epsilon }), objective('proxy')),
    plan(miFgsm({ norm, epsilon, steps }), objective('embedding-shift')),
    ...(norm === 'l1' ? [] : [plan(square({ norm, epsilon, steps: queries }), toOthers)]),
  ];
}

/** An attack on an objective, under the name that reports call it by: `pgd-20/joint-set`. */
export function plan(settings: AttackSettings, goal: Objective): AttackPlan {
  const attack = settings.steps === 1 ? settings.name : `${settings.name}-${settings.steps}`;
  // What runAttack does anyway where the clean image is a flat top; said here so that the report says it.
  const randomStart = settings.randomStart || goal.flatAtStart;
  return { name: `${attack}/${goal.name}`, objective: goal, settings: { ...settings, randomStart } };
}
