import { z } from 'zod';
import { attackNorm, checkEpsilon, checkRadii, radius } from '../attacks/norm.js';
import { device } from '../clustering/device.js';
import { evaluationShape } from '../evaluation/options.js';
import { seed } from '../options.js';
import { choiceOf } from '../part.js';
import { backendChoice } from '../tfjs/index.js';
import { everySteps, trainingShape } from '../training/options.js';
import { PARTS } from './lists.js';

/** The radius that methods train against and evaluations attack with unless told otherwise, in [0, 1] pixel units. */
export const EPSILON = 0.1;

/** What a configuration without such a part means. */
export const DEFAULTS = {
  data: { name: 'fashion-mnist' },
  model: { kind: 'conv' },
  loss: { name: 'proxy-anchor' },
  method: { name: 'eat-heads', attack: { epsilon: EPSILON } },
} as const;

const method = choiceOf(PARTS.method);

const training = z.strictObject({ ...trainingShape, checkpointEverySteps: everySteps });

/** An attack of the configuration's own: what it raises, and how. */
const attack = z.strictObject({
  name: z.string().optional().describe('as the report calls it (default such as pgd-20/joint-set)'),
  objective: choiceOf(PARTS.objective).describe('what it raises'),
  attack: choiceOf(PARTS.attack).describe('how it moves'),
});

const evaluation = z.strictObject({
  ...evaluationShape,
  norm: attackNorm.optional().describe('of the attacks (default what was trained against, else linf)'),
  epsilon: radius
    .optional()
    .describe('radius of the attacks, in [0, 1] pixel units (default what was trained against, else 0.1)'),
  attacks: z.array(attack).min(1).optional().describe('attacks of your own instead of a suite'),
});

/** What --config files hold, key by key. */
export const configShape = {
  $schema: z.string().optional().describe('where this schema is, for editors'),
  seed: seed.optional().describe('all randomness derives from it (default 0)'),
  backend: backendChoice.optional().describe('tfjs backend of the networks (default auto)'),
  device: device.describe('fail unless it is the first there is for kernels'),
  data: choiceOf(PARTS.data).optional().describe('what is learnt from and measured').meta({ default: DEFAULTS.data }),
  model: choiceOf(PARTS.model, 'kind')
    .optional()
    .describe('the network of each member')
    .meta({ default: DEFAULTS.model }),
  loss: choiceOf(PARTS.loss).optional().describe('what members learn by').meta({ default: DEFAULTS.loss }),
  method: method.optional().describe('how they are trained').meta({ default: DEFAULTS.method }),
  training: training.optional().describe('the training loop, of every method'),
  evaluation: evaluation.optional().describe('what is measured, under which attacks'),
};

/** What --config files hold; every key is optional, an unknown one is an error. */
export const configSchema = z.strictObject(configShape).check(({ value, issues }) => {
  const { norm = trainedAgainst(value.method)?.norm, epsilon, epsilons } = value.evaluation ?? {};
  const found: typeof issues = [];
  checkEpsilon({ value: { norm, epsilon }, issues: found });
  checkRadii({ value: { norm, epsilons }, issues: found });
  for (const issue of found) issues.push({ ...issue, path: ['evaluation', ...(issue.path ?? [])] });
});

/** The attack of a method, where it has one. */
export function trainedAgainst(config: z.input<typeof method> | undefined) {
  return config && 'attack' in config ? config.attack : undefined;
}

/** What a configuration file holds; every key is optional (docs/cli.md, docs/parts.md). */
export type Config = z.input<typeof configSchema>;
export type MethodConfig = z.input<typeof method>;
export type MethodName = MethodConfig['name'];

/** The schema as JSON Schema (draft 2020-12), shipped as dist/config.schema.json. */
export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return {
    $schema,
    $id: 'https://unpkg.com/eat-dml/dist/config.schema.json',
    title: 'eat-dml configuration',
    description: 'What `eat-dml train --config` and runConfig() take. Every key is optional.',
    ...schema,
  };
}
