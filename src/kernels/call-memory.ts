/**
 * Who may touch a call's arrays while it runs. The inputs of a Promise call are private from the moment it returns; results are
 * written where they stay: into arrays that nobody else has, or into the caller's `out`, whose buffer is taken over meanwhile.
 */
import { EatDmlError } from '../errors.js';
import type { Matrix } from './matrix.js';
import { ResidentMatrix } from './resident-matrix.js';
import type { KernelCall } from './run-kernel.js';

type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;
type Args = Record<string, unknown>;
type Call = Pick<KernelCall<object>, 'args' | 'inputs' | 'result' | 'inPlace'>;

interface Named {
  name: string;
  array: TypedArray;
}

/** The typed arrays in `value`: it may be one, a matrix, or an object or a list of those. */
function collect(name: string, value: unknown, found: Named[]): Named[] {
  if (typeof value !== 'object' || value === null) return found;
  if (ArrayBuffer.isView(value)) found.push({ name, array: value as TypedArray });
  else if (!ResidentMatrix.is(value)) for (const part of Object.values(value)) collect(name, part, found);
  return found;
}

function arraysOf(args: object): Named[] {
  const found: Named[] = [];
  for (const name of Object.keys(args)) collect(name, (args as Args)[name], found);
  return found;
}

function outputsOf(call: Call): TypedArray[] {
  return collect('', call.result(), []).map(({ array }) => array);
}

/** Whether the caller's `options` hold none of the results: all of them are fresh arrays then. */
export function isFresh(call: Call, options: object): boolean {
  const given = arraysOf(options);
  return !outputsOf(call).some((array) => given.some((named) => named.array === array));
}

/**
 * Throws where a result would lie over an input, or over another result: a kernel may read there after it has written. The inputs
 * that `inPlace` names may be the very place of a result.
 */
export function checkApart(call: Call): void {
  const all = arraysOf(call.args);
  for (const output of outputsOf(call)) {
    // Results come last in `args`: an input of the same array stands before it.
    const written = all.findLast(({ array }) => array === output)!;
    for (const read of all) {
      if (read === written || read.array.buffer !== output.buffer || !overlap(read.array, output)) continue;
      if (call.inPlace?.includes(read.name) && samePlace(read.array, output)) continue;
      const message = `Expected ${written.name} to lie apart from ${read.name} but received overlapping memory.`;
      throw new EatDmlError('ERR_ARGUMENT', message, { hint: `Give ${written.name} memory of its own.` });
    }
  }
}

function overlap(a: TypedArray, b: TypedArray): boolean {
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

function samePlace(a: TypedArray, b: TypedArray): boolean {
  return a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}

/**
 * Puts arrays that only this call can reach in the place of the results that `options` names, and returns what to do when they are
 * written. An array that is all of its buffer is taken over, as a BYOB reader takes a buffer: the caller's is detached, and the
 * result has the memory. What lies in a larger buffer, or in that of an input, is copied back at the end, where it is still there.
 */
export function claimOutputs(call: Call, options: object): () => void {
  const outputs = outputsOf(call);
  const args = call.args as Args;
  const given = new Set(arraysOf(options).map(({ array }) => array));
  const back: (() => void)[] = [];
  for (const [name, array] of Object.entries(args)) {
    if (!ArrayBuffer.isView(array) || call.inPlace?.includes(name)) continue;
    const own = array as TypedArray;
    // Nobody can take shared memory away; it is written as it is.
    if (!outputs.includes(own) || !given.has(own) || !(own.buffer instanceof ArrayBuffer)) continue;
    const alone = arraysOf(args).every((other) => other.array === own || other.array.buffer !== own.buffer);
    const used = arraysOf(args).filter(({ array }) => array === own).length;
    args[name] = (alone && used === 1 && takenOver(own)) || own.slice();
    back.push(() => {
      // Still attached and of the old length: it was not taken over, nor has the caller parted with it since.
      if (own.length !== (args[name] as TypedArray).length) return;
      own.set(args[name] as never);
      args[name] = own;
    });
  }
  return () => {
    for (const copy of back) copy();
  };
}

/** The array over its buffer's memory, in a new buffer; undefined where it is no buffer's only view or cannot be transferred. */
function takenOver(array: TypedArray): TypedArray | undefined {
  const { buffer, byteLength } = array;
  if (byteLength !== buffer.byteLength) return undefined;
  try {
    const taken = structuredClone(array, { transfer: [buffer as ArrayBuffer] });
    // Node copies what it holds to be untransferable (the memory of some Buffers).
    return buffer.byteLength === 0 ? taken : undefined;
  } catch {
    return undefined;
  }
}

/** The call on copies of everything it reads; for the device js, whose loops run between turns of the event loop. */
export function withOwnInputs<T extends Call>(call: T): T {
  const outputs = new Set<unknown>(outputsOf(call));
  const copies = new Map<unknown, unknown>();
  const own = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || outputs.has(value)) return value;
    if (!copies.has(value)) copies.set(value, copied(value, own));
    return copies.get(value);
  };
  for (const [name, value] of Object.entries(call.args)) (call.args as Args)[name] = own(value);
  const inputs = Object.entries(call.inputs).map(([name, matrix]) => [name, own(matrix) as Matrix]);
  return { ...call, inputs: Object.fromEntries(inputs) };
}

function copied(value: object, own: (part: unknown) => unknown): unknown {
  if (ArrayBuffer.isView(value)) return (value as TypedArray).slice();
  if (ResidentMatrix.is(value)) return value;
  if (Array.isArray(value)) return value.map(own);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, own(part)]));
}
