import type { Draw } from '../draw.js';
import { arraysOf, isTyped, type Slot } from '../slots.js';
import { type Mutation, put, Sabotage } from './mutation.js';

const define = ({ holder, key }: Slot, get: () => unknown) =>
  Object.defineProperty(holder, key, { get, enumerable: true, configurable: true });

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !isTyped(value);
const inObject = (_: unknown, { holder }: Slot) => !Array.isArray(holder);

/** Takes the memory of `array` away, where it can be taken. */
export function detach(array: { buffer: ArrayBufferLike }): void {
  const { buffer } = array;
  if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
}

/** A getter in the place of a value; `later` gives what it says from the second time on. */
function getter(name: string, meaning: Mutation['meaning'], later: (draw: Draw, args: unknown[]) => unknown): Mutation {
  return {
    name,
    meaning,
    fits: inObject,
    apply: (slot, draw, args) => {
      const value = slot.holder[slot.key];
      let reads = 0;
      define(slot, () => {
        reads++;
        const after = later(draw, args);
        return reads > 1 && after !== undefined ? after : value;
      });
    },
  };
}

const steady = getter('a getter', 'same', () => undefined);

const CHANGED = [null, 'x', -1, 0, 1.5, Number.NaN, 2 ** 53 - 1, 1n, {}, [], new Float32Array(2), 7];
const changing = getter('a getter that changes', 'right', (draw) => draw.pick(CHANGED));

const throwing = getter('a getter that throws', 'any', () => {
  throw new Sabotage('a getter');
});

const detaching = getter('a getter that detaches', 'right', (draw, args) => {
  detach(draw.pick(arraysOf(args)) ?? { buffer: new SharedArrayBuffer(0) });
});

const resizing = getter('a getter that resizes', 'right', (_, args) => {
  for (const { buffer } of arraysOf(args)) {
    const memory = buffer as unknown as { resizable?: boolean; resize(bytes: number): void };
    if (memory.resizable) memory.resize(0);
  }
});

const proxied: Mutation = {
  name: 'a proxy',
  meaning: 'same',
  fits: (value) => isObject(value) && !Array.isArray(value) && !(value instanceof AbortSignal),
  apply: (slot) => put(slot, new Proxy(slot.holder[slot.key] as object, {})),
};

const TRAPS = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'] as const;

const trapped: Mutation = {
  name: 'a proxy that throws',
  meaning: 'any',
  fits: (value) => isObject(value) || isTyped(value),
  apply: (slot, draw) => {
    const trap = draw.pick(TRAPS);
    let left = draw.integer(12);
    const handler = (...given: unknown[]) => {
      if (left-- === 0) throw new Sabotage(trap);
      return (Reflect[trap] as (...given: unknown[]) => unknown)(...given);
    };
    put(slot, new Proxy(slot.holder[slot.key] as object, { [trap]: handler }));
  },
};

const revoked: Mutation = {
  name: 'a revoked proxy',
  meaning: 'any',
  fits: isObject,
  apply: (slot) => {
    const { proxy, revoke } = Proxy.revocable(slot.holder[slot.key] as object, {});
    revoke();
    put(slot, proxy);
  },
};

const inherited: Mutation = {
  name: 'inherited keys',
  meaning: 'same',
  fits: (value) => isObject(value) && !Array.isArray(value),
  apply: (slot) => put(slot, Object.create(slot.holder[slot.key] as object)),
};

const bare: Mutation = {
  name: 'no prototype',
  meaning: 'same',
  fits: (value) => isObject(value) && Object.getPrototypeOf(value) === Object.prototype,
  apply: (slot) => put(slot, Object.assign(Object.create(null), slot.holder[slot.key])),
};

const frozen: Mutation = {
  name: 'frozen',
  meaning: 'same',
  fits: (value) => isObject(value) && !(value instanceof AbortSignal),
  apply: (slot) => void Object.freeze(slot.holder[slot.key]),
};

export const objects = [
  ...[steady, changing, changing, throwing, detaching, detaching, resizing],
  ...[proxied, trapped, revoked, inherited, bare, frozen],
];
