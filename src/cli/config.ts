import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EatDmlError } from '../errors.js';
import { epsilon, loss, method, norm } from './config-methods.js';

const count = z.int().positive();
const length = z.number().nonnegative();
const split = z.enum(['zero-shot', 'closed-set']).describe('zero-shot: train and test share no class');
const trainClasses = z.array(z.int()).min(1).describe('classes to train on (zero-shot only)');
const data = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('fashion-mnist'),
    split: split.optional(),
    perClass: count.optional(),
    trainClasses: trainClasses.optional(),
    seed: z.int().optional().describe('which images and classes; the run’s seed when absent'),
    cacheDir: z.string().optional(),
  }),
  z.strictObject({
    name: z.literal('idx'),
    images: z.string().describe('IDX file (.gz too) of [n, h, w] or [n, h, w, c] bytes'),
    labels: z.string().describe('IDX file of [n] labels'),
    split: split.optional(),
    trainClasses: trainClasses.optional(),
    testFraction: z.number().gt(0).lt(1).optional().describe('closed-set only (default 0.2)'),
    seed: z.int().optional(),
  }),
  z.strictObject({
    name: z.literal('emoji'),
    split: split.optional(),
    classes: count.min(4).optional().describe('of each side at most'),
    side: count.optional().describe('pixels of a side: 64 (default), 32 or 16'),
    seed: z.int().optional(),
    cacheDir: z.string().optional(),
  }),
]);

const batch = z.union([z.strictObject({ size: count }), z.strictObject({ classes: count, images: count })]);

/** What --config files hold; every key is optional, an unknown one is an error. */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  seed: z.int().optional(),
  backend: z.enum(['auto', 'tensorflow', 'native', 'wasm', 'cpu']).optional().describe('tfjs backend of the networks'),
  device: z.enum(['auto', 'cuda', 'cpu', 'js']).optional().describe('fail unless kernels run on it'),
  data: data.optional(),
  model: z.strictObject({ kind: z.literal('conv'), embedding: count.optional(), width: count.optional() }).optional(),
  loss: loss.optional(),
  method: method.optional(),
  training: z
    .strictObject({
      epochs: count.optional(),
      batch: batch.optional(),
      learningRate: length.optional(),
      proxyLearningRate: length.optional(),
      weightDecay: length.optional(),
      checkpointEverySteps: count.optional(),
    })
    .optional(),
  evaluation: z
    .strictObject({
      suite: z.enum(['quick', 'standard', 'thorough']).optional(),
      norm: norm.optional(),
      epsilon: epsilon.optional(),
      restarts: count.optional(),
      k: count.optional(),
      clusterRestarts: count.optional(),
      count: count.min(2).optional(),
      batchSize: count.optional(),
      partial: z.array(z.number().gt(0).lt(1)).optional().describe('shares of images to attack beside the whole set'),
      transfer: z.boolean().optional().describe('also attack each member alone, and measure the others'),
    })
    .optional(),
});

export type Config = z.infer<typeof configSchema>;
export type DataConfig = NonNullable<Config['data']>;
export type { MethodConfig, MethodName } from './config-methods.js';

/** The schema as JSON Schema (draft 2020-12), shipped as dist/config.schema.json. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema);
}

/** Reads a configuration file; ERR_CONFIG shows every error with its path. */
export function readConfig(path: string): Promise<Config> {
  return readChecked(path, configSchema);
}

/** Reads a JSON file that must fit `schema`. */
export async function readChecked<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new EatDmlError('ERR_CONFIG', `Expected a JSON file at ${path} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
  return parsed(value, schema, path);
}

/** Checks a configuration; `source` names it in the error, which shows every problem with its path. */
export function parseConfig(value: unknown, source: string): Config {
  return parsed(value, configSchema, source);
}

function parsed<T>(value: unknown, schema: z.ZodType<T>, source: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, []));
  throw new EatDmlError('ERR_CONFIG', `${source} is not a valid configuration:\n${problems.join('\n')}`, {
    hint: 'dist/config.schema.json in the package describes every key.',
  });
}

type Issue = z.core.$ZodIssue;

/** One line per problem: `  training.epochs: ...`. A union shows the problems of each of its forms. */
function describeIssue(issue: Issue, prefix: PropertyKey[]): string[] {
  const path = [...prefix, ...issue.path];
  const at = path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `  ${at ? `${at}.` : ''}${key}: unknown key`);
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const forms = issue.errors.map((errors) => errors.flatMap((error) => describeIssue(error as Issue, path)));
    return [`  ${at}: fits none of its forms`, ...new Set(forms.flat().map((line) => `  ${line}`))];
  }
  return [`  ${at || 'the whole file'}: ${issue.message}`];
}
