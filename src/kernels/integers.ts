import { EatDmlError, invalid } from '../errors.js';

/** Throws unless `data` is an Int32Array of exactly `length`. */
export function checkInt32Length(name: string, data: unknown, length: number): asserts data is Int32Array {
  if (!(data instanceof Int32Array) || data.length !== length) {
    throw invalid(name, `an Int32Array of length ${length}`, data);
  }
}

/** Throws unless `data` is a Uint8Array of exactly `length`. */
export function checkUint8Length(name: string, data: unknown, length: number): asserts data is Uint8Array {
  if (!(data instanceof Uint8Array) || data.length !== length) {
    throw invalid(name, `a Uint8Array of length ${length}`, data);
  }
}

/** Throws for the first of `indices` outside [0, size). */
export function checkIndices(name: string, indices: Int32Array, size: number): void {
  const bad = indices.findIndex((index) => index < 0 || index >= size);
  if (bad < 0) return;
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${name} in [0, ${size}) but received ${indices[bad]} at ${bad}.`);
}
