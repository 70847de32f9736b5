import type { Draw } from '../draw.js';
import { contentOf, isOutput, isTyped, type Slot, slotsOf, type TypedArray } from '../slots.js';
import { type Mutation, put } from './mutation.js';
import { detach } from './objects.js';

type Made = (array: TypedArray, draw: Draw) => unknown;
type Constructor = new (memory: ArrayBufferLike, offset?: number, length?: number) => Float32Array;

/** The array's values in other memory. */
function within(array: TypedArray, buffer: ArrayBufferLike, offset = 0, length?: number): TypedArray {
  const made = new (array.constructor as unknown as Constructor)(buffer, offset, length);
  made.set(array as never);
  return made;
}

const replaced = (name: string, meaning: Mutation['meaning'], make: Made): Mutation => ({
  name,
  meaning,
  fits: isTyped,
  apply: (slot, draw) => put(slot, make(contentOf(slot) as TypedArray, draw)),
});

const shifted: Made = (array, draw) => {
  const bytes = array.BYTES_PER_ELEMENT;
  const offset = bytes * draw.between(1, 7);
  const length = array.length;
  return within(array, new ArrayBuffer(offset + array.byteLength + bytes * draw.integer(9)), offset, length);
};

interface Resizable {
  new (bytes: number, options: { maxByteLength: number }): ArrayBuffer;
}

/** Over memory that can be made larger or smaller; the view follows it, or does not. */
const resizable =
  (Memory: typeof ArrayBuffer | typeof SharedArrayBuffer): Made =>
  (array, draw) => {
    const memory = new (Memory as unknown as Resizable)(array.byteLength, { maxByteLength: 2 * array.byteLength + 64 });
    return draw.chance(0.5) ? within(array, memory) : within(array, memory, 0, array.length);
  };

const layouts = [
  replaced('a view within a larger buffer', 'same', shifted),
  replaced('shared memory', 'same', (array) => within(array, new SharedArrayBuffer(array.byteLength))),
  replaced('a resizable buffer', 'same', resizable(ArrayBuffer)),
  replaced('growable shared memory', 'same', resizable(SharedArrayBuffer)),
  replaced('a subclass', 'same', (array) => {
    class Own extends (array.constructor as unknown as Constructor) {}
    return new Own(array as never);
  }),
  replaced('a subclass with a species of its own', 'right', (array, draw) => {
    const species = draw.pick([Array, Float64Array, Uint8Array, Int32Array]);
    class Own extends (array.constructor as unknown as Constructor) {
      static get [Symbol.species]() {
        return species;
      }
    }
    return new Own(array as never);
  }),
  replaced('an array with a length of its own', 'right', (array, draw) =>
    Object.defineProperty(array.slice(), 'length', { value: draw.pick([0, 1, array.length + 1, 1e6]) }),
  ),
  replaced('an array with a buffer of its own', 'right', (array) =>
    Object.defineProperty(array.slice(), 'buffer', { value: new ArrayBuffer(8) }),
  ),
];

const KINDS = [Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array, Uint8ClampedArray, Int8Array];

const wrong = [
  replaced('one value more', 'any', (array) =>
    within(array, new ArrayBuffer(array.byteLength + array.BYTES_PER_ELEMENT)),
  ),
  replaced('one value less', 'any', (array) => array.slice(0, Math.max(0, array.length - 1))),
  replaced('no values', 'any', (array) => array.slice(0, 0)),
  replaced('values of another type', 'any', (array, draw) => new (draw.pick(KINDS))(array.length)),
  replaced('a DataView', 'any', (array) => new DataView(array.buffer, array.byteOffset, array.byteLength)),
  replaced('a buffer', 'any', (array) => array.slice().buffer),
  replaced('a list', 'any', (array) => [...array]),
  replaced('a Buffer', 'any', (array) => Buffer.alloc(array.length)),
  replaced('a proxy of an array', 'any', (array) => new Proxy(array, {})),
  replaced('a prototype', 'any', (array) => Object.create(array.constructor.prototype as object)),
  replaced('a look-alike', 'any', (array) =>
    Object.setPrototypeOf(new Int8Array(array.length), array.constructor.prototype),
  ),
  replaced('a detached array', 'any', (array) => {
    const gone = array.slice();
    detach(gone);
    return gone;
  }),
];

const FLOATS = [Number.NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, -0, 1e30];
const INTEGERS = [-1, -(2 ** 31), 2 ** 31 - 1, 1 << 28, 40, 255];

const contents: Mutation = {
  name: 'hostile values',
  meaning: 'any',
  fits: (value) => isTyped(value) && value.length > 0,
  apply: (slot, draw) => {
    const array = contentOf(slot) as TypedArray;
    const list = array instanceof Float32Array || array instanceof Float64Array ? FLOATS : INTEGERS;
    if (draw.chance(0.2)) array.fill(draw.pick(list));
    else for (let i = draw.between(1, 3); i > 0; i--) array[draw.integer(array.length)] = draw.pick(list);
  },
};

/** Another array of the call: of its type and long enough. */
function partner(slot: Slot, draw: Draw, args: unknown[]): TypedArray | undefined {
  const own = contentOf(slot) as TypedArray;
  const like = slotsOf(args)
    .map(contentOf)
    .filter(isTyped)
    .filter((a) => a !== own && a.constructor === own.constructor);
  return like.length > 0 ? draw.pick(like) : undefined;
}

const overInput: Mutation = {
  name: 'a result over an input',
  last: true,
  meaning: 'right',
  fits: (value, slot) => isTyped(value) && isOutput(slot),
  apply: (slot, draw, args) => {
    const other = partner(slot, draw, args);
    if (other) put(slot, other);
  },
};

/** Both in one buffer, so that they share some of it. */
const overlapping: Mutation = {
  name: 'a result that overlaps an input',
  last: true,
  meaning: 'right',
  fits: (value, slot) => isTyped(value) && isOutput(slot) && value.length > 0,
  apply: (slot, draw, args) => {
    const out = contentOf(slot) as TypedArray;
    const inputs = slotsOf(args).filter((other) => !isOutput(other) && isTyped(contentOf(other)));
    const input = draw.pick(inputs);
    const array = contentOf(input) as TypedArray;
    if (array.length === 0) return;
    const shift = out.BYTES_PER_ELEMENT * draw.integer(out.length);
    const start = Math.ceil(shift / array.BYTES_PER_ELEMENT) * array.BYTES_PER_ELEMENT;
    const bytes = Math.max(start + array.byteLength, shift + out.byteLength);
    const memory = new ArrayBuffer(Math.ceil(bytes / 8) * 8);
    put(slot, within(out, memory, shift, out.length));
    put(input, within(array, memory, start, array.length));
  },
};

/** All arrays of the call one after the other in one buffer. */
const packed: Mutation = {
  name: 'all arrays in one buffer',
  last: true,
  meaning: 'same',
  fits: isTyped,
  apply: (_, __, args) => {
    const slots = slotsOf(args).filter((slot) => isTyped(contentOf(slot)));
    const places = new Map<unknown, number>();
    let bytes = 0;
    for (const array of slots.map(contentOf) as TypedArray[]) {
      if (places.has(array)) continue;
      places.set(array, bytes);
      bytes += Math.ceil(array.byteLength / 8) * 8;
    }
    const memory = new ArrayBuffer(bytes);
    const made = new Map<unknown, TypedArray>();
    for (const slot of slots) {
      const array = contentOf(slot) as TypedArray;
      if (!made.has(array)) made.set(array, within(array, memory, places.get(array), array.length));
      put(slot, made.get(array));
    }
  },
};

export const arrays = [...layouts, ...layouts, ...wrong, contents, contents, contents, overInput, overlapping, packed];
