/**
 * Reads of what a caller gives. Each value is read once, before the first is checked: a getter or a proxy may say something else the
 * next time, and may do anything while it is asked. What is checked is then what is used.
 */
import { EatDmlError, invalid } from '../errors.js';

/** Values that a list among the options may have: shapes, strides, layers. */
const LONGEST = 65_536;

/** The values of `keys` that are there, as a plain object; `name` is the object's in a message, empty for the options. */
export function readFields<K extends string>(
  name: string,
  from: object,
  keys: readonly K[],
): Partial<Record<K, unknown>> {
  const read: Partial<Record<K, unknown>> = {};
  for (const key of keys) {
    const called = name === '' ? key : `${name}.${key}`;
    const value = readable(called, () => {
      const found = (from as Record<K, unknown>)[key];
      return Array.isArray(found) ? copyOfList(called, found) : found;
    });
    if (value !== undefined) read[key] = value;
  }
  return read;
}

/** A hole in it is an undefined in the copy. */
function copyOfList(name: string, list: unknown[]): unknown[] {
  const { length } = list;
  if (length > LONGEST) throw invalid(name, `a list of at most ${LONGEST} values`, list);
  const copy: unknown[] = [];
  for (let i = 0; i < length; i++) copy.push(list[i]);
  return copy;
}

/** What `read` gives; what code of the caller's throws meanwhile is the cause of an error that says where. */
export function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof EatDmlError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${name} to be readable but reading it throws: ${why}`, { cause });
  }
}
