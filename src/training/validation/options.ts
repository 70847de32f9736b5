import { z } from 'zod';
import { checkRadius } from '../../attacks/norm.js';
import { pgdShape } from '../../attacks/rules/pgd.js';
import { sourceValue } from '../../data/source.js';
import { fraction } from '../../data/splits.js';
import { count } from '../../options.js';

const CLEAN = ['recallAt1', 'nmi', 'mapAtR'] as const;
const ATTACKED = ['attackedRecallAt1', 'attackedNmi', 'attackedMapAtR'] as const;

export const METRICS = [...CLEAN, ...ATTACKED] as const;

/** What a validation measures; the attacked ones where it attacks. */
export type ValidationMetric = (typeof METRICS)[number];

const attack = z
  .strictObject({
    ...pgdShape,
    steps: count.default(10).describe('gradient steps'),
    keep: pgdShape.keep.unwrap().default('last').describe('the last iterate, or the best by the objective'),
    count: count.default(200).describe('images attacked: a sample, the same every time'),
  })
  .check(checkRadius);

const HELD = 0.2;

/** Options of a validation that are plain values. */
export const validationShape = {
  classes: fraction
    .optional()
    .describe(`share of the training classes that are kept for it and not learnt from (default ${HELD})`),
  every: count.default(1).describe('epochs between two validations'),
  metric: z.enum(METRICS).default('recallAt1').describe('by which the best epoch is chosen'),
  patience: count.optional().describe('validations without a better score after which training ends (default never)'),
  attack: attack
    .optional()
    .describe('attacks a sample, too: PGD away from the clean embedding, looked up in the clean gallery'),
};

type Plain = z.output<z.ZodObject<typeof validationShape>>;

/** An attacked score is of an attack. */
export function checkMetric({
  value: { metric, attack },
  issues,
}: z.core.ParsePayload<Pick<Plain, 'metric' | 'attack'>>): void {
  if (attack || (CLEAN as readonly string[]).includes(metric)) return;
  issues.push({
    code: 'custom',
    path: ['metric'],
    message: `one of ${CLEAN.join(', ')}, where no attack is given`,
    input: metric,
  });
}

/** A validation, as `train` takes it: on other data, too. */
export const validationOfRun = z
  .strictObject({
    ...validationShape,
    data: sourceValue.optional().describe('validated on instead of classes of the training data'),
  })
  .check(checkMetric)
  .check(({ value: { data, classes }, issues }) => {
    if (!data || classes === undefined) return;
    issues.push({ code: 'custom', path: ['classes'], message: 'nothing beside data', input: classes });
  });

/** Validation on held-out classes: see {@link validationShape}. */
export type ValidationOptions = z.input<typeof validationOfRun>;

/** A validation on classes of the training side, as a configuration has it. */
export const validation = z.strictObject(validationShape).check(checkMetric);

/** The share of the classes that is held out. */
export function heldShare({ classes = HELD }: Pick<Plain, 'classes'>): number {
  return classes;
}
