import { readFile } from 'node:fs/promises';
import JSON5 from 'json5';
import type { z } from 'zod';
import { describe, EatDmlError } from '../errors.js';
import { type Problem, pathText, problemsOf, suggestionText } from '../options.js';
import { type Config, configSchema } from './schema.js';

/** Reads a configuration file; ERR_CONFIG shows every error with its path. */
export async function readConfig(path: string): Promise<Config> {
  return parseConfig(await readJson(path), path);
}

/** Reads a JSON file, whatever it holds; a .jsonc or .json5 may have comments, and commas at ends. */
export async function readJson(path: string): Promise<unknown> {
  try {
    const text = await readFile(path, 'utf8');
    return /\.json[c5]$/.test(path) ? JSON5.parse(text) : JSON.parse(text);
  } catch (cause) {
    throw new EatDmlError('ERR_CONFIG', `Expected a JSON file at ${path} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Checks a configuration; `source` names it in the error, which shows every problem with its path. */
export function parseConfig(value: unknown, source: string): Config {
  return checked(value, configSchema, source);
}

/** `value` where it fits `schema`, as it is; `source` names it in the error, which shows every problem with its path. */
export function checked<S extends z.ZodType>(value: unknown, schema: S, source: string): z.input<S> {
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
