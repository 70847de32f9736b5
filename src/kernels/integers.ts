import { types } from 'node:util';
import { describe, EatDmlError, invalid } from '../errors.js';
import { checkAttached } from './matrix.js';
import { lengthOf } from './typed-arrays.js';

/** Throws unless `data` is an attached Int32Array of exactly `length`. */
export function checkInt32Length(name: string, data: unknown, length: number): asserts data is Int32Array {
  if (!types.isInt32Array(data)) throw invalid(name, `an Int32Array of length ${length}`, data);
  checkAttached(name, data);
  if (lengthOf(data) !== length) throw invalid(name, `an Int32Array of length ${length}`, data);
}

/** Throws unless `data` is an attached Uint8Array. */
export function checkUint8(name: string, data: unknown): asserts data is Uint8Array {
  if (!types.isUint8Array(data)) throw invalid(name, 'a Uint8Array', data);
  checkAttached(name, data);
}

/** Throws unless `data` is an attached Uint8Array of exactly `length`. */
export function checkUint8Length(name: string, data: unknown, length: number): asserts data is Uint8Array {
  if (!types.isUint8Array(data)) throw invalid(name, `a Uint8Array of length ${length}`, data);
  checkAttached(name, data);
  if (lengthOf(data) !== length) throw invalid(name, `a Uint8Array of length ${length}`, data);
}

/** Throws unless `list` is an array of integers >= `least`, as many as `count` (one of several); a hole is no integer. */
export function checkIntegers(
  name: string,
  list: unknown,
  count: number | readonly number[],
  least = Number.NEGATIVE_INFINITY,
): asserts list is readonly number[] {
  const counts = [count].flat();
  const fits = Array.isArray(list) && counts.includes(list.length);
  if (fits && Array.from(list).every((n) => Number.isSafeInteger(n) && n >= least)) return;
  const many = counts.length > 1 ? `${counts[0]} to ${counts.at(-1)}` : counts[0];
  const expected = `${many} integers${least === Number.NEGATIVE_INFINITY ? '' : ` >= ${least}`} for ${name}`;
  const received = fits ? `[${Array.from(list, String).join(', ')}]` : describe(list);
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${expected} but received ${received}.`);
}

/** Throws for the first of `indices` outside [0, size). */
export function checkIndices(name: string, indices: Int32Array, size: number): void {
  const bad = indices.findIndex((index) => index < 0 || index >= size);
  if (bad < 0) return;
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${name} in [0, ${size}) but received ${indices[bad]} at ${bad}.`);
}
