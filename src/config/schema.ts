import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { attackNorm, checkEpsilon, radius } from '../attacks/norm.js';
import { device } from '../clustering/device.js';
import { emojiPart } from '../data/sets/emoji.js';
import { fashionMnistPart } from '../data/sets/fashion-mnist.js';
import { fraction, splitKind, trainClasses } from '../data/splits.js';
import { describe, EatDmlError } from '../errors.js';
import { evaluationShape } from '../evaluation/options.js';
import { LOSSES } from '../losses/list.js';
import { MODELS } from '../models/list.js';
import { type Problem, pathText, problemsOf, seed, suggestionText } from '../options.js';
import { choiceOf } from '../part.js';
import { backendChoice } from '../tfjs/index.js';
import { METHODS } from '../training/methods/list.js';
import { everySteps, trainingShape } from '../training/options.js';

const idx = z.strictObject({
  name: z.literal('idx'),
  images: z.string().describe('IDX file (.gz too) of [n, h, w] or [n, h, w, c] bytes'),
  labels: z.string().describe('IDX file of [n] labels'),
  split: splitKind.default('zero-shot').describe('zero-shot: train and test share no class'),
  trainClasses: trainClasses.optional().describe('zero-shot only: the classes to train on (default a random half)'),
  testFraction: fraction.default(0.2).describe('closed-set only'),
  seed: seed.optional().describe('which classes and which side (default the run’s)'),
});

const [fashionMnist, emoji] = choiceOf([fashionMnistPart, emojiPart]).options;
const data = z.discriminatedUnion('name', [fashionMnist, idx, emoji]);
const method = choiceOf(METHODS);

/** What --config files hold, key by key. */
export const configShape = {
  $schema: z.string().optional(),
  seed: seed.optional().describe('all randomness derives from it (default 0)'),
  backend: backendChoice.optional().describe('tfjs backend of the networks (default auto)'),
  device: device.describe('fail unless it is the first there is for kernels'),
  data: data.optional(),
  model: choiceOf(MODELS, 'kind').optional(),
  loss: choiceOf(LOSSES).optional(),
  method: method.optional(),
  training: z.strictObject({ ...trainingShape, checkpointEverySteps: everySteps }).optional(),
  evaluation: z
    .strictObject({
      ...evaluationShape,
      norm: attackNorm.optional().describe('of the attacks (default what was trained against, else linf)'),
      epsilon: radius
        .optional()
        .describe('radius of the attacks, in [0, 1] pixel units (default what was trained against, else 0.1)'),
    })
    .optional(),
};

/** What --config files hold; every key is optional, an unknown one is an error. */
export const configSchema = z.strictObject(configShape).check(({ value, issues }) => {
  const { norm = trainedAgainst(value.method)?.norm, epsilon } = value.evaluation ?? {};
  const found: typeof issues = [];
  checkEpsilon({ value: { norm, epsilon }, issues: found });
  for (const issue of found) issues.push({ ...issue, path: ['evaluation', ...(issue.path ?? [])] });
});

/** The attack of a method, where it has one. */
export function trainedAgainst(config: z.input<typeof method> | undefined) {
  return config && 'attack' in config ? config.attack : undefined;
}

export type Config = z.input<typeof configSchema>;
export type DataConfig = NonNullable<Config['data']>;
export type MethodConfig = z.input<typeof method>;
export type MethodName = MethodConfig['name'];

/** The schema as JSON Schema (draft 2020-12), shipped as dist/config.schema.json. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}

/** Reads a configuration file; ERR_CONFIG shows every error with its path. */
export function readConfig(path: string): Promise<Config> {
  return readChecked(path, configSchema);
}

/** Reads a JSON file that must fit `schema`; as it is, without defaults. */
export async function readChecked<S extends z.ZodType>(path: string, schema: S): Promise<z.input<S>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new EatDmlError('ERR_CONFIG', `Expected a JSON file at ${path} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
  return checked(value, schema, path);
}

/** Checks a configuration; `source` names it in the error, which shows every problem with its path. */
export function parseConfig(value: unknown, source: string): Config {
  return checked(value, configSchema, source);
}

function checked<S extends z.ZodType>(value: unknown, schema: S, source: string): z.input<S> {
  const problems = problemsOf(schema, value).map(problemText);
  if (problems.length === 0) return value as z.input<S>;
  throw new EatDmlError('ERR_CONFIG', `${source} is not a valid configuration:\n${problems.join('\n')}`, {
    hint: 'dist/config.schema.json in the package describes every key.',
  });
}

/** One line per problem: "  training.epochs: ...". */
function problemText(problem: Problem): string {
  const { path, expected, received, known } = problem;
  const what = known ? 'unknown key' : `expected ${expected} but received ${describe(received)}`;
  return `  ${pathText(path) || 'the whole file'}: ${what}${suggestionText(problem)}`;
}
