import { types } from 'node:util';

/** The places of a call's arguments: what a mutation may change, and what a call that begins may find changed. */

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** One place: `holder[key]`. */
export interface Slot {
  /** Keys from the arguments' list down to here. */
  path: string[];
  holder: Record<string, unknown>;
  key: string;
}

export const isTyped = (value: unknown): value is TypedArray => ArrayBuffer.isView(value) && !types.isDataView(value);

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  return Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

/** The value there, without running a getter that a mutation has put there. */
export const contentOf = ({ holder, key }: Slot) => Object.getOwnPropertyDescriptor(holder, key)?.value as unknown;

/** Every place in `args`, at any depth of plain objects and lists. */
export function slotsOf(args: unknown[]): Slot[] {
  const found: Slot[] = [];
  const seen = new Set<unknown>();
  const walk = (holder: Record<string, unknown>, path: string[]) => {
    if (seen.has(holder)) return;
    seen.add(holder);
    for (const key of Object.keys(holder)) {
      const slot = { path: [...path, key], holder, key };
      found.push(slot);
      const value = contentOf(slot);
      if (isPlain(value)) walk(value, slot.path);
    }
  };
  walk(args as unknown as Record<string, unknown>, []);
  return found;
}

/** Whether a result goes there, and nothing is read from there. */
export const isOutput = ({ path }: Slot) => path.includes('out') || path.includes('dx');

/** Every typed array in `args` that still has memory, once. */
export function arraysOf(args: unknown[]): TypedArray[] {
  const arrays = slotsOf(args).map(contentOf).filter(isTyped);
  return [...new Set(arrays)].filter(({ byteLength }) => byteLength > 0);
}

/** The same values in memory of their own; arrays that are one stay one. */
export function cloned<T>(value: T, known = new Map<unknown, unknown>()): T {
  if (isTyped(value)) {
    if (!known.has(value)) known.set(value, value.slice());
    return known.get(value) as T;
  }
  if (Array.isArray(value)) return value.map((part) => cloned(part, known)) as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cloned(part, known)])) as T;
}
