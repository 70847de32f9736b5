import { z } from 'zod';
import { checkRadii, checkRadius, radius } from '../attacks/norm.js';
import { objectiveValue } from '../attacks/objective.js';
import { attackSettings } from '../attacks/settings.js';
import { sourceValue } from '../data/source.js';
import { Ensemble } from '../models/index.js';
import { normSet } from '../models/norm-sets.js';
import { atLeast, callback, count, seed, signal } from '../options.js';
import { backendChoice } from '../tfjs/index.js';
import type { Gathered } from './gather/gathered.js';
import type { EvaluationProgress } from './progress.js';
import { protocolShape } from './protocols/index.js';
import { attackShape, suiteName } from './suites/index.js';

const attackPlan = z.strictObject({
  name: z.string().describe('as the report calls it; every plan’s name is different'),
  objective: objectiveValue,
  settings: attackSettings,
});

/** Those that are plain values, for a configuration too. */
export const evaluationShape = {
  suite: suiteName.default('standard').describe('which attacks'),
  ...attackShape,
  epsilons: z
    .array(radius, 'a list of radii')
    .min(1, 'a list of radii')
    .optional()
    .describe('radii of a curve: the worst case at each, such as 0, 2/255, 4/255, 8/255; 0 is clean'),
  stepCounts: z
    .array(count, 'a list of numbers of steps')
    .min(1, 'a list of numbers of steps')
    .optional()
    .describe('numbers of steps of a second curve: the worst case of attacks with so many each, such as 1, 5, 20, 100'),
  k: count.optional().describe('number of clusters (default the number of classes)'),
  clusterRestarts: count.optional().describe('k-means starts (default 20; 5 above 1,000 clusters)'),
  count: atLeast(2, 'an integer of at least 2')
    .optional()
    .describe('evaluate this many images, drawn at random, instead of all'),
  batchNorm: normSet
    .optional()
    .describe(
      'of members with two sets of batch normalisations, the one they work by, clean or attacked (default adversarial)',
    ),
  batchSize: count.default(128).describe('images per attacked batch; joint-pairwise works within a batch'),
  ...protocolShape,
};

export const evaluateOptions = z
  .strictObject({
    ...evaluationShape,
    attacks: z.array(attackPlan).optional().describe('attacks of your own instead of a suite'),
    allowSeen: z
      .boolean()
      .default(false)
      .describe('measure images and classes that the ensemble was trained on, too, and count them'),
    seed: seed.default(0).describe('of attacks and of k-means'),
    gallery: sourceValue
      .optional()
      .describe(
        'clean images that those evaluated are looked up in, as queries; both are clustered together (default the evaluated set, clean, each without itself)',
      ),
    reference: sourceValue
      .optional()
      .describe(
        'clean data whose k-means clusters the inductive protocol assigns to (default the evaluated set, clean)',
      ),
    backend: backendChoice.default('auto').describe('the tfjs backend'),
    onProgress: callback<(progress: EvaluationProgress) => void>().optional().describe('told how far the work is'),
    onGathered: callback<(gathered: Gathered) => void>()
      .optional()
      .describe('told, before the report, what a page shows beside it: a sample of images, clean and under one attack'),
    gather: count.default(1000).describe('images of that sample, drawn at random'),
    signal: signal.optional(),
  })
  .check(checkRadius)
  .check(checkRadii);

/** Options of {@link evaluate}. Radii are in [0, 1] pixel units. */
export type EvaluateOptions = Omit<
  z.input<typeof evaluateOptions>,
  'epsilons' | 'stepCounts' | 'partial' | 'recallAt'
> & {
  epsilons?: readonly number[];
  stepCounts?: readonly number[];
  partial?: readonly number[];
  recallAt?: readonly number[];
};

/** Options with every default filled in. */
export type EvaluateSettings = z.output<typeof evaluateOptions>;

/** What is evaluated, as a schema. */
export const ensembleValue = z.custom<Ensemble>((value) => value instanceof Ensemble, 'an Ensemble');
