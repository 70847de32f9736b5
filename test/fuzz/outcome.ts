import { EatDmlError } from '../../src/errors.js';
import { isDetached, isTypedArray, type TypedArray, viewOf } from '../../src/kernels/typed-arrays.js';
import { drawFrom } from './draw.js';
import { CallbackError, type Meaning } from './mutations/mutation.js';
import { slotsOf } from './slots.js';
import type { Target } from './targets.js';

/** What came of a call. */
export type Outcome = { value: unknown } | { error: unknown };

export interface Expected {
  target: Target;
  meaning: Meaning;
  /** Whether a signal may have ended it. */
  abortable: boolean;
  /** The result for the arguments as they were before anything was done to them. */
  result(): unknown;
}

/** What is wrong with the outcome, in words; undefined where nothing is. */
export function fault(outcome: Outcome, expected: Expected): string | undefined {
  if ('error' in outcome) return faultOfError(outcome.error, expected);
  if (expected.meaning === 'any') return undefined;
  return equal(outcome.value, expected.result()) ? undefined : 'wrong: a result that differs';
}

function faultOfError(error: unknown, { target, meaning, abortable }: Expected): string | undefined {
  if (error instanceof CallbackError) return undefined;
  const said = error instanceof Error ? error.stack : String(error);
  if (error instanceof EatDmlError && error.code === 'ERR_ABORTED') {
    return abortable ? undefined : `wrong: aborted by nobody: ${said}`;
  }
  if (meaning === 'same') return `wrong: a call that is right was refused: ${said}`;
  return isPromised(error, naming(target)) ? undefined : `foreign: ${said}`;
}

const patterns = new Map<Target, RegExp>();

/** A sentence that names what is wrong with a call of `target`. */
function naming(target: Target): RegExp {
  if (!patterns.has(target)) {
    const draw = drawFrom(1, target.name);
    const keys = Array.from({ length: 50 }, () => slotsOf(target.generate(draw)).map(({ key }) => key)).flat();
    const names = [...target.parameters, ...keys, 'options', 'device', 'checkFinite', 'signal'];
    patterns.set(target, sentenceAbout(names.filter((name) => /^[a-z]/i.test(name))));
  }
  return patterns.get(target)!;
}

/** "... for x but", "... of x", "Expected x to ...", "x.rows", "x's": one of `names` as a name, not as the word "a". */
export function sentenceAbout(names: readonly string[]): RegExp {
  const name = `(?:${[...new Set(names)].join('|')})`;
  const after = `\\b(?:for|in|of|from|under|among) ${name}(?![\\w'])`;
  const first = `^Expected (?:finite )?${name} (?:to|of|in|>=)`;
  return new RegExp(`${after}|${first}|\\b${name}(?:\\.\\w|'s |\\[\\d)`);
}

/** Whether `error` is of a kind that users are promised, and names what it is about. */
export function isPromised(error: unknown, sentence: RegExp): boolean {
  const kind = error instanceof EatDmlError || error instanceof TypeError || error instanceof RangeError;
  return kind && sentence.test(error.message);
}

const sameValues = (a: TypedArray, b: TypedArray) =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** Equal to the bit, NaN to NaN. */
export function equal(a: unknown, b: unknown): boolean {
  if (isTypedArray(a) && isTypedArray(b)) return !isDetached(a) && sameValues(viewOf(a), viewOf(b));
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
