import { z } from 'zod';

const count = z.int().positive();
const weight = z.number().nonnegative();

export const norm = z.enum(['linf', 'l2', 'l1']);
export const epsilon = weight.max(1e6).describe('radius in [0, 1] pixel units, measured in the norm');

const goal = z.enum([
  'training-loss',
  'embedding-shift',
  'proxy',
  'centroid-margin',
  'centroid-random-target',
  'joint-pairwise',
  'soft-kmeans',
]);

const attack = z.strictObject({
  norm: norm.optional(),
  epsilon,
  steps: count.optional(),
  stepSize: weight.optional(),
  randomStart: z.boolean().optional(),
  restarts: count.optional(),
  keep: z.enum(['best', 'last']).optional(),
  goal: z
    .union([goal, z.array(goal).min(1)])
    .optional()
    .describe('what it raises; of several one is drawn per step'),
});

const members = count.optional();

/** One form per training method. */
export const method = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('standard'), members }),
  z.strictObject({ name: z.literal('at'), attack }),
  z.strictObject({ name: z.literal('ensemble-at'), members, attack }),
  z.strictObject({ name: z.literal('trades'), members, beta: weight.optional(), attack }),
  z.strictObject({ name: z.literal('est'), members, attack }),
  z.strictObject({ name: z.literal('act'), members, margin: weight.optional(), attack }),
  z.strictObject({ name: z.literal('hm'), members, margin: weight.optional(), ics: weight.optional(), attack }),
  z.strictObject({
    name: z.literal('adp'),
    members,
    alpha: weight.optional(),
    beta: weight.optional(),
    attack: attack.optional(),
  }),
  z.strictObject({ name: z.literal('gal'), members, lambda: weight.optional(), attack: attack.optional() }),
  z.strictObject({ name: z.literal('dverge'), members, adversarial: z.boolean().optional(), attack }),
  z.strictObject({
    name: z.literal('eat'),
    members,
    diversity: z.enum(['leave-one-out', 'm-of-n', 'disjoint', 'none']).optional(),
    by: z.enum(['sample', 'class']).optional(),
    m: count.optional(),
    n: count.optional(),
    transfer: z.enum(['shared', 'peers', 'mix', 'none', 'one', 'relay', 'pooled']).optional(),
    alignment: weight.optional(),
    attack,
  }),
]);

export type MethodConfig = z.infer<typeof method>;
export type MethodName = MethodConfig['name'];

export const METHOD_NAMES = method.options.map(({ shape }) => shape.name.value);

const number = z.number().optional();

/** One form per loss. */
export const loss = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('proxy-anchor'), alpha: z.number().positive().optional(), delta: number }),
  z.strictObject({
    name: z.literal('triplet-margin'),
    margin: weight.optional(),
    mining: z.enum(['all', 'semi-hard', 'distance-weighted']).optional(),
  }),
  z.strictObject({
    name: z.literal('contrastive'),
    positiveMargin: weight.optional(),
    negativeMargin: weight.optional(),
  }),
  z.strictObject({
    name: z.literal('multi-similarity'),
    alpha: z.number().positive().optional(),
    beta: z.number().positive().optional(),
    base: number,
    mining: weight.optional(),
  }),
  z.strictObject({ name: z.literal('nt-xent'), temperature: z.number().positive().optional() }),
]);
