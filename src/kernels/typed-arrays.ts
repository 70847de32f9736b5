/**
 * What the engine knows of a typed array, whatever properties its owner has given it: an array can say of itself that it has another
 * length or another buffer, and copies of a subclass are made by the subclass.
 */
import { types } from 'node:util';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const PROTOTYPE = Object.getPrototypeOf(Float32Array.prototype) as object;
const KINDS = { Float32Array, Float64Array, Int32Array, Uint8Array };

const own = <T>(array: TypedArray, property: string | symbol) => Reflect.get(PROTOTYPE, property, array) as T;

export const bufferOf = (array: TypedArray) => own<ArrayBufferLike>(array, 'buffer');
export const offsetOf = (array: TypedArray) => own<number>(array, 'byteOffset');
export const bytesOf = (array: TypedArray) => own<number>(array, 'byteLength');
export const lengthOf = (array: TypedArray) => own<number>(array, 'length');

/** True for an array of the four kinds that kernels take; not for a proxy of one, nor for an heir. */
export function isTypedArray(value: unknown): value is TypedArray {
  return types.isTypedArray(value) && own<string>(value as TypedArray, Symbol.toStringTag) in KINDS;
}

/** Whether other threads may write to the array, and nobody can take its memory away. */
export const isShared = (array: TypedArray) => types.isSharedArrayBuffer(bufferOf(array));

type Constructor = new (values: TypedArray | ArrayBufferLike, offset?: number, length?: number) => TypedArray;

function constructorOf(array: TypedArray): Constructor {
  return KINDS[own<keyof typeof KINDS>(array, Symbol.toStringTag)] as unknown as Constructor;
}

/** The same values in memory of their own. */
export function copyOf<T extends TypedArray>(array: T): T {
  return new (constructorOf(array))(array) as T;
}

/** A plain array of the type over the same memory, of the length that it has now. */
export function viewOf<T extends TypedArray>(array: T): T {
  return new (constructorOf(array))(bufferOf(array), offsetOf(array), lengthOf(array)) as T;
}

/** Whether the array's memory was transferred, or made so small that the array has none. */
export function isDetached(array: TypedArray): boolean {
  if (lengthOf(array) !== 0) return false;
  try {
    viewOf(array);
    return false;
  } catch {
    return true;
  }
}
