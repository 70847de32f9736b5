import { z } from 'zod';
import { describe, EatDmlError } from './errors.js';

/** An integer of at least that, as a schema; `expected` says so. */
export function atLeast(least: number, expected: string): z.ZodInt {
  return z.int(expected).min(least, expected);
}

/** A positive integer, as a schema. */
export const count = atLeast(1, 'a positive integer');

/** A finite number >= 0, as a schema. */
export const nonNegative = z.number('a finite number >= 0').nonnegative('a finite number >= 0');

/** A finite number > 0, as a schema. */
export const positive = z.number('a finite number > 0').positive('a finite number > 0');

/** All randomness derives from it. */
export const seed = z.int('an integer');

/** Aborts the work. */
export const signal = z
  .custom<AbortSignal>((value) => {
    const { aborted, addEventListener } = (value ?? {}) as AbortSignal;
    return typeof aborted === 'boolean' && typeof addEventListener === 'function';
  }, 'an AbortSignal')
  .describe('ends the work with ERR_ABORTED');

/** An Int32Array, as a schema; `expected` says of what. */
export function int32Array(expected: string): z.ZodType<Int32Array, Int32Array> {
  return z.custom<Int32Array>((value) => value instanceof Int32Array, expected);
}

/** Whatever it is, also nothing; for what is looked at where it is used. */
export const anything = z.unknown().optional();

/** A function, as a schema; its own arguments are its business. */
export function callback<T>(): z.ZodType<T, T> {
  return z.custom<T>((value) => typeof value === 'function', 'a function');
}

/** One thing that is wrong with a value. */
export interface Problem {
  /** From the value down to where it is. */
  path: readonly PropertyKey[];
  /** What should be there: "a positive integer". */
  expected: string;
  received: unknown;
  /** What may have been meant. */
  suggestion?: string;
  /** The keys that are known there, where the problem is a key that is not. */
  known?: readonly string[];
}

/** A path, as a schema. */
export const path = z.string('a path').min(1, 'a path');

/**
 * The value that `schema` makes of `value`, defaults filled in; `undefined` stands for no options. Else one error, in one
 * sentence: the name (`name`, if any, and the path below it), what was expected, what was received.
 *
 * @throws EatDmlError ERR_ARGUMENT.
 */
export function parseOptions<S extends z.ZodType>(schema: S, value: unknown, name = ''): z.output<S> {
  return parse(schema, value === undefined ? {} : value, name);
}

/** {@link parseOptions} of a value that is no object of options, and may not be absent. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, name = ''): z.output<S> {
  const result = schema.safeParse(value, { error: expectation });
  const problem = result.success ? keptAsKeys(value, result.data) : problemsIn(result.error.issues, value)[0];
  if (result.success && !problem) return result.data;
  throw new EatDmlError('ERR_ARGUMENT', sentence(problem as Problem, name));
}

/**
 * The first object among options that has no keys to read, whatever it holds: a Map, a Date, a Promise that nobody waited for. To
 * zod it is an object without keys, for which the defaults would stand.
 */
function keptAsKeys(value: unknown, read: unknown, path: readonly PropertyKey[] = []): Problem | undefined {
  // What a schema takes as it is, an AbortSignal or a tensor, is not copied.
  if (value === read || typeof value !== 'object' || value === null || typeof read !== 'object' || read === null)
    return;
  if (!Array.isArray(value) && Object.prototype.toString.call(value) !== '[object Object]') {
    return { path, expected: 'an object', received: value };
  }
  for (const [key, below] of Object.entries(value)) {
    const problem = keptAsKeys(below, (read as Record<string, unknown>)[key], [...path, key]);
    if (problem) return problem;
  }
}

/** Everything that `schema` finds wrong with `value`, keys that it does not know first. */
export function problemsOf(schema: z.ZodType, value: unknown): Problem[] {
  const result = schema.safeParse(value, { error: expectation });
  return result.success ? [] : problemsIn(result.error.issues, value);
}

/** "a.b[1]" */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`)).join('');
}

/** "; did you mean X?", or nothing. */
export function suggestionText({ suggestion }: Pick<Problem, 'suggestion'>): string {
  return suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
}

function sentence(problem: Problem, name: string): string {
  const { path, expected, received, suggestion, known } = problem;
  const below = pathText(known ? path.slice(0, -1) : path);
  const full = name && below ? `${name}${below.startsWith('[') ? '' : '.'}${below}` : name || below;
  const end = suggestion === undefined ? '.' : suggestionText(problem);
  if (!known) return `Expected ${expected} for ${full || 'options'} but received ${describe(received)}${end}`;
  const of = full ? ` of ${full}` : '';
  return `Expected options${of} among ${known.join(', ')} but received ${describe(path.at(-1))}${end}`;
}

type Issue = z.core.$ZodIssue;

function problemsIn(issues: readonly Issue[], value: unknown, above: readonly PropertyKey[] = []): Problem[] {
  const problems = issues.flatMap((issue) => problemsOfIssue(issue, value, [...above, ...issue.path]));
  // A key misspelt is why another is missing: it is the one to be told of first.
  return [...problems.filter(({ known }) => known), ...problems.filter(({ known }) => !known)];
}

function problemsOfIssue(issue: Issue, value: unknown, path: readonly PropertyKey[]): Problem[] {
  const { message: expected } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = expected.split(' ');
    return issue.keys.map((key) => ({ path: [...path, key], expected, received: key, known, ...near(key, known) }));
  }
  const received = valueAt(value, path);
  if (issue.code === 'invalid_union') {
    const form = formOf(issue.errors, received);
    if (form) return problemsIn(form, value, path);
  }
  if (issue.code === 'invalid_value') return [{ path, expected, received, ...near(received, issue.values) }];
  if (issue.code === 'invalid_union' && 'options' in issue) {
    return [{ path, expected, received, ...near(received, issue.options as string[]) }];
  }
  const { suggestion } = (issue.code === 'custom' && issue.params) || {};
  return [{ path, expected, received, ...(suggestion !== undefined && { suggestion: String(suggestion) }) }];
}

/** The form of a union that `value` was meant to have: of those that it fits in kind, the one with the fewest problems. */
function formOf(forms: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const alike = forms.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  return alike.sort((a, b) => a.length - b.length)[0];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at === undefined ? undefined : (at as never)?.[key]), value);
}

/** What zod's issues say, as "Expected ... for" goes on; schemas with words of their own go before it. */
function expectation(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return Object.keys((issue.inst as z.ZodObject).shape).join(' ');
    case 'invalid_type':
      return KINDS[issue.expected as string] ?? `a value of type ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'invalid_union':
      return Array.isArray(issue.options) ? `one of ${issue.options.join(', ')}` : 'one of its forms';
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    default:
      return 'a value that fits';
  }
}

const KINDS: Record<string, string> = {
  array: 'an array',
  boolean: 'true or false',
  int: 'an integer',
  number: 'a finite number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
};

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'array') return `an array of ${relation} ${limit}`;
  return origin === 'string' ? `a string of ${relation} ${limit} characters` : `${relation} ${limit}`;
}

/** The one of `known` that `given` looks like, if any. */
export function near(given: unknown, known: readonly unknown[]): { suggestion?: string } {
  if (typeof given !== 'string' || given.length < 2) return {};
  const names = known.filter((name): name is string => typeof name === 'string');
  const close = names
    .map((name) => ({ name, edits: edits(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(Math.max(given.length, name.length) / 3)))
    .sort((a, b) => a.edits - b.edits);
  const suggestion = close[0]?.name ?? names.find((name) => name.startsWith(given) || given.startsWith(name));
  return suggestion === undefined ? {} : { suggestion };
}

/** Insertions, deletions, substitutions and swaps of neighbours from `a` to `b`. */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2][j - 2] + 1 : Infinity;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + same, swapped);
    }
  }
  return rows[a.length][b.length];
}
