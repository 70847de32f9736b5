import { types } from 'node:util';

/** Stable codes of the errors this package throws; documented in README.md. */
export type ErrorCode =
  | 'ERR_ARGUMENT'
  | 'ERR_NOT_FINITE'
  | 'ERR_DEVICE'
  | 'ERR_BACKEND'
  | 'ERR_DATA'
  | 'ERR_CHECKPOINT'
  | 'ERR_CONFIG'
  | 'ERR_BUILD'
  | 'ERR_SYSTEM'
  | 'ERR_PATH'
  | 'ERR_ABORTED'
  | 'ERR_DIVERGED'
  | 'ERR_DISTRIBUTED';

export interface ErrorDetails {
  /** What the user can do about it, one sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * Every error of this package: one sentence (name, expected, received), a stable `code`, and where known a remedy.
 *
 * @example
 * ```ts
 * import { EatDmlError, openData } from 'eat-dml';
 *
 * try {
 *   await openData('folder', { root: 'nowhere' });
 * } catch (error) {
 *   if (!(error instanceof EatDmlError)) throw error;
 *   console.log(error.code, error.message, error.hint); // ERR_DATA ...
 * }
 * ```
 */
export class EatDmlError extends Error {
  readonly code: ErrorCode;
  readonly hint?: string;

  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(message, details?.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'EatDmlError';
    this.code = code;
    this.hint = details?.hint;
  }
}

/** "expected X for `name` but received Y", with the value shown short. */
export function invalid(name: string, expected: string, received: unknown): EatDmlError {
  return new EatDmlError('ERR_ARGUMENT', `Expected ${expected} for ${name} but received ${describe(received)}.`);
}

/** A value as a reader of an error message wants to see it: its kind, its size, never its whole content. */
export function describe(value: unknown): string {
  try {
    return shown(value);
  } catch {
    return 'an object that cannot be read';
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return value.length > 60 ? `"${value.slice(0, 57)}..."` : `"${value}"`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof DataView) return `a DataView of ${value.byteLength} bytes`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of length ${(value as Float32Array).length}`;
  if (Array.isArray(value) && value.length > 0 && value.length <= 4 && value.every((x) => typeof x === 'number')) {
    return `[${value.join(', ')}]`;
  }
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if ('dtype' in value && 'shape' in value) return describeTensor(value as TensorLike);
  const name = value.constructor?.name;
  return !name || name === 'Object' ? `an object with ${keysText(Object.keys(value))}` : `a ${name}`;
}

function keysText(keys: string[]): string {
  return keys.length > 12 ? `${keys.slice(0, 12).join(', ')}, ...` : keys.join(', ') || 'no keys';
}

/** What a file holds, as an error may show it: at most 200 characters, none of which breaks the line. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what this is to find.
  const shown = text.slice(0, 200).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '?');
  return text.length > 200 ? `${shown}...` : shown;
}

interface TensorLike {
  dtype: unknown;
  shape: unknown;
  isDisposed?: boolean;
}

function describeTensor({ dtype, shape, isDisposed }: TensorLike): string {
  const sizes = Array.isArray(shape) ? shape.join(', ') : shape;
  return `${isDisposed ? 'a disposed' : dtype === 'int32' ? 'an' : 'a'} ${dtype} tensor [${sizes}]`;
}

/** Throws unless `signal` is absent or an AbortSignal: one that is found to be none later could stop nothing. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal !== undefined && !isSignal(signal)) throw invalid('signal', 'an AbortSignal', signal);
}

function isSignal(value: unknown): boolean {
  try {
    return value instanceof AbortSignal && !types.isProxy(value) && typeof value.aborted === 'boolean';
  } catch {
    return false;
  }
}

/** Throws the signal's reason as an `ERR_ABORTED` when it is aborted; call between units of work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

export function aborted(signal: AbortSignal): EatDmlError {
  return new EatDmlError('ERR_ABORTED', 'The operation was aborted.', { cause: signal.reason });
}

/**
 * The error of an inner call in the words of its caller: `names` gives what the user calls each of the inner call's arguments,
 * such as `{ points: 'embeddings' }`.
 */
export function inWordsOf(error: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof EatDmlError)) return error;
  const renamed = (text: string, [inner, outer]: [string, string]) =>
    text.replace(new RegExp(`\\b${inner}\\b`, 'g'), outer);
  const message = Object.entries(names).reduce(renamed, error.message);
  return message === error.message ? error : new EatDmlError(error.code, message, { hint: error.hint, cause: error });
}

/** Of data that are not as they should be: ERR_DATA, in the words of all readers; `where` is a file, and a place in it. */
export function dataFault(where: string, expected: string, received: string, more: ErrorDetails = {}): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${printable(received)} in ${where}.`, more);
}
