import { type Matrix, uploadMatrix } from '../../../src/kernels/index.js';
import type { Draw } from '../draw.js';
import { isTyped } from '../slots.js';
import { type Mutation, put } from './mutation.js';

/** One that this program made, with nothing done to its data yet. */
const isMatrix = (value: unknown) =>
  typeof value === 'object' && value !== null && isTyped(Object.getOwnPropertyDescriptor(value, 'data')?.value);

/** The matrix uploaded, and what `change` makes of it. */
function uploaded(
  name: string,
  meaning: Mutation['meaning'],
  change: (there: Matrix, draw: Draw) => unknown,
): Mutation {
  return {
    name,
    meaning,
    fits: isMatrix,
    apply: (slot, draw) => {
      const device = draw.pick(['js', 'auto'] as const);
      const matrix = slot.holder[slot.key] as Matrix;
      put(slot, change(uploadMatrix(matrix, { device, checkFinite: false }), draw));
    },
  };
}

const CLAIMS = [2, 3, 1e3, 2 ** 20, 2 ** 26, 2 ** 52];

const claim: Mutation = {
  name: 'a size that the data do not have',
  meaning: 'any',
  fits: isMatrix,
  apply: (slot, draw) => {
    const matrix = { ...(slot.holder[slot.key] as Matrix) };
    for (const side of ['rows', 'cols', 'batch'] as const) {
      if (draw.chance(0.5)) matrix[side] = (matrix[side] ?? 1) * draw.pick(CLAIMS);
    }
    put(slot, matrix);
  },
};

/** Another shape of as many values: what it says of sizes fits nothing else. */
const turned: Mutation = {
  name: 'another shape',
  meaning: 'any',
  fits: isMatrix,
  apply: (slot) => {
    const { data, rows, cols, batch = 1 } = slot.holder[slot.key] as Matrix;
    put(slot, { data, rows: cols, cols: rows * batch });
  },
};

export const matrixMutations = [
  uploaded('an uploaded matrix', 'same', (there) => there),
  uploaded('a spread copy of an uploaded matrix', 'any', (there) => ({ ...there })),
  uploaded('an uploaded matrix behind a proxy', 'right', (there) => new Proxy(there, {})),
  uploaded('an heir of an uploaded matrix', 'right', (there) => Object.create(there)),
  uploaded('a disposed matrix', 'any', (there) => {
    (there as unknown as { dispose(): void }).dispose();
    return there;
  }),
  uploaded('an uploaded matrix that claims another size', 'right', (there, draw) => {
    Reflect.set(there, draw.pick(['rows', 'cols', 'batch']), draw.pick([1, 2, 64, 2 ** 20]));
    return there;
  }),
  claim,
  turned,
];
