import { type Mutation, put } from './mutation.js';

const WRONG: readonly (() => unknown)[] = [
  ...[undefined, null, true, '', 'x', '1', Symbol('s')].map((value) => () => value),
  ...[() => ({}), () => [], () => [1, 2, 3], () => () => 1, () => new Date(0), () => Object(1), () => 1n],
  ...[() => new Float32Array(3), () => new Map(), () => ({ valueOf: () => 2 }), () => new ArrayBuffer(16)],
];

const NUMBERS = [Number.NaN, Infinity, -Infinity, -1, -0, 0, 1, 2, 1.5, 3, 2 ** 53 - 1, 2 ** 53, 1 - 2 ** 53, 1e300];
const LARGE = [1e9, 2 ** 31, 2 ** 31 - 1, 2 ** 32, -1e9, -(2 ** 31), 2 ** 40];

/** Numbers that say how large a result is, or how long a call takes: a large one is a request for just that. */
const SIZES =
  /^(batch|segments|depth|count|k|m|n|restarts|(in|out)(Height|Width|Channels)|filter(Height|Width)|rows|cols|outer|inner)$/;
const LENGTHS = /^(shape|restarts)$/;

const wrong: Mutation = {
  name: 'a value of the wrong type',
  meaning: 'any',
  fits: () => true,
  apply: (slot, draw) => put(slot, draw.pick(WRONG)()),
};

const number: Mutation = {
  name: 'a hostile number',
  meaning: 'any',
  fits: (value) => typeof value === 'number',
  apply: (slot, draw) => {
    const long = slot.path.some((name) => LENGTHS.test(name));
    const large = SIZES.test(slot.key) || long ? [] : LARGE;
    const numbers = [...NUMBERS.filter((value) => !long || value < 1e6), ...large];
    put(slot, draw.pick(numbers));
  },
};

const near: Mutation = {
  name: 'a number that is off by a little',
  meaning: 'any',
  fits: (value) => typeof value === 'number',
  apply: (slot, draw) => put(slot, (slot.holder[slot.key] as number) + draw.pick([-1, 1, -2, 2, 0.5])),
};

const name: Mutation = {
  name: 'a name that there is not',
  meaning: 'any',
  fits: (value) => typeof value === 'string',
  apply: (slot, draw) =>
    put(slot, draw.pick(['toString', '__proto__', 'constructor', 'Relu', 'length', 'x'.repeat(99)])),
};

const missing: Mutation = {
  name: 'a key that is missing',
  meaning: 'any',
  fits: () => true,
  apply: ({ holder, key }) => delete holder[key],
};

const extra: Mutation = {
  name: 'a key that there is not',
  meaning: 'any',
  fits: () => true,
  apply: ({ holder }, draw) => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    holder[draw.pick(['metrik', '0', 'fresh', 'checkFinite', 'kind', 'length2'])] = draw.pick([cycle, 1, undefined]);
  },
};

export const values = [wrong, number, number, near, name, missing, extra];
