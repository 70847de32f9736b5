/**
 * Who may touch a call's arrays while it runs. The inputs of a Promise call are private from the moment it returns; results are
 * written where they stay: into arrays that nobody else has, or into the caller's `out`, whose buffer is taken over meanwhile.
 */
import { EatDmlError } from '../errors.js';
import { ResidentMatrix } from './resident-matrix.js';
import type { AddonCall } from './run-kernel.js';
import {
  bufferOf,
  bytesOf,
  copyOf,
  isDetached,
  isShared,
  isTypedArray,
  lengthOf,
  offsetOf,
  type TypedArray,
  viewOf,
} from './typed-arrays.js';

type Args = Record<string, unknown>;
type Call = Pick<AddonCall<object>, 'options' | 'args' | 'inputs' | 'result' | 'inPlace' | 'names'>;

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

/** The arrays among the options, or in the pair or triple of them that `out` may be. */
function givenArrays({ options }: Call): Set<unknown> {
  const { out } = options as { out?: object };
  return new Set([...Object.values(options), ...(out && !ArrayBuffer.isView(out) ? Object.values(out) : [])]);
}

/** Whether the caller gave none of the results: all of them are fresh arrays then. */
export function isFresh(call: Call): boolean {
  const given = givenArrays(call);
  return !outputsOf(call).some((array) => given.has(array));
}

/**
 * Throws where a result would lie over an input, or over another result: a kernel may read there after it has written. The inputs
 * that `inPlace` names may be the very place of a result.
 */
export function checkApart(call: Call): void {
  const all = arraysOf(call.args);
  const called = ({ name }: Named) => call.names?.[name] ?? name;
  for (const output of outputsOf(call)) {
    // Results come last in `args`: an input of the same array stands before it.
    const written = all.findLast(({ array }) => array === output)!;
    for (const read of all) {
      if (read === written || bufferOf(read.array) !== bufferOf(output) || !overlap(read.array, output)) continue;
      if (call.inPlace?.includes(read.name) && samePlace(read.array, output)) continue;
      const message = `Expected ${called(written)} to lie apart from ${called(read)} but received overlapping memory.`;
      throw new EatDmlError('ERR_ARGUMENT', message, { hint: `Give ${called(written)} memory of its own.` });
    }
  }
}

function overlap(a: TypedArray, b: TypedArray): boolean {
  return offsetOf(a) < offsetOf(b) + bytesOf(b) && offsetOf(b) < offsetOf(a) + bytesOf(a);
}

function samePlace(a: TypedArray, b: TypedArray): boolean {
  return offsetOf(a) === offsetOf(b) && bytesOf(a) === bytesOf(b);
}

/**
 * Puts arrays that only this call can reach in the place of the results that `options` names, and returns what to do when they are
 * written. An array that is all of its buffer is taken over, as a BYOB reader takes a buffer: the caller's is detached, and the
 * result has the memory. What lies in a larger buffer, or in that of an input, is copied back at the end, where it is still there.
 */
export function claimOutputs(call: Call): () => void {
  const outputs = outputsOf(call);
  const args = call.args as Args;
  const given = givenArrays(call);
  const back: (() => void)[] = [];
  for (const [name, array] of Object.entries(args)) {
    if (!ArrayBuffer.isView(array) || call.inPlace?.includes(name)) continue;
    const own = array as TypedArray;
    // Nobody can take shared memory away; it is written as it is.
    if (!outputs.includes(own) || !given.has(own) || isShared(own)) continue;
    const all = arraysOf(args);
    const alone = all.every((other) => other.array === own || bufferOf(other.array) !== bufferOf(own));
    const used = all.filter((other) => other.array === own).length;
    args[name] = (alone && used === 1 && takenOver(own)) || copyOf(own);
    back.push(() => {
      // Still attached and of the old length: it was not taken over, nor has the caller parted with it since.
      const result = args[name] as TypedArray;
      if (isDetached(own) || lengthOf(own) !== lengthOf(result)) return;
      own.set(result as never);
      args[name] = own;
    });
  }
  return () => {
    for (const copy of back) copy();
  };
}

/** The array over its buffer's memory, in a new buffer; undefined where it is no buffer's only view or cannot be transferred. */
function takenOver(array: TypedArray): TypedArray | undefined {
  const buffer = bufferOf(array);
  if (bytesOf(array) !== buffer.byteLength) return undefined;
  try {
    const taken = structuredClone(array, { transfer: [buffer as ArrayBuffer] });
    // Node copies what it holds to be untransferable (the memory of some Buffers).
    return buffer.byteLength === 0 ? taken : undefined;
  } catch {
    return undefined;
  }
}

/** The call for plain loops: on what `own` makes of each array that it reads, and on plain arrays over those that it writes. */
export function withInputs<T extends Call>(call: T, own: (array: TypedArray) => TypedArray): T {
  const outputs = new Set(outputsOf(call));
  const known = new Map<unknown, unknown>();
  const replaced = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || ResidentMatrix.is(value)) return value;
    if (!known.has(value)) known.set(value, isTypedArray(value) ? memory(value) : parts(value));
    return known.get(value);
  };
  const memory = (array: TypedArray) => (outputs.has(array) ? viewOf(array) : own(array));
  const parts = (value: object): unknown => {
    if (Array.isArray(value)) return value.map(replaced);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replaced(part)]));
  };
  return { ...call, args: parts(call.args), ...(call.inputs && { inputs: parts(call.inputs) }) };
}
