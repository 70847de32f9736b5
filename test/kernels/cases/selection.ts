import { randomStream } from '../../../src/random.js';
import {
  ARG_REDUCE_OPS,
  argReduce,
  COMPARE_OPS,
  compareValues,
  gather,
  LOGICAL_OPS,
  logical,
  oneHot,
  segmentSum,
  select,
  softmax,
  topK,
} from '../network/by-device.js';
import { normalMatrix } from '../support.js';
import { EXTREMES, LAYOUTS, reach, SIZES } from './layouts.js';
import type { ParityCase } from './types.js';

const normal = (length: number, seed = 1) => normalMatrix(1, length, { seed }).data;
/** Few distinct values, so that most are ties. */
const coarse = (length: number, seed = 1) => normal(length, seed).map(Math.round);

function integers(length: number, below: number, from = 0): Int32Array {
  const { uniform } = randomStream(3, 'integers', length, below);
  return Int32Array.from({ length }, () => from + Math.floor(uniform() * (below - from)));
}

const compareCases = COMPARE_OPS.flatMap((op): ParityCase[] => {
  const row = (name: string, o: Omit<Parameters<typeof compareValues>[0], 'op'>): ParityCase => ({
    kernel: 'compareValues',
    name: `${op} ${name}`,
    run: async (device) => ({ values: compareValues({ op, ...o, device }) }),
    tolerance: {},
  });
  const pairs = [...EXTREMES].flatMap((x) => [...EXTREMES].map((y) => [x, y]));
  const column = (i: number) => Float32Array.from(pairs, (pair) => pair[i]);
  const run = (length: number) => ({ shape: [1, 1, 1, length], aStrides: [0, 0, 0, 1], bStrides: [0, 0, 0, 1] });
  return [
    ...LAYOUTS.map(([shape, aStrides, bStrides]) =>
      row(`${shape} ${aStrides} ${bStrides}`, {
        ...{ shape, aStrides, bStrides },
        a: coarse(reach(shape, aStrides)),
        b: coarse(reach(shape, bStrides), 2),
      }),
    ),
    ...SIZES.map((size) => row(`${size}`, { ...run(size), a: coarse(size), b: coarse(size, 2) })),
    row('extremes', { ...run(pairs.length), a: column(0), b: column(1) }),
  ];
});

const logicalCases = LOGICAL_OPS.flatMap((op) =>
  SIZES.map((size): ParityCase => {
    const [a, b] = [2, 1].map((skip) => Uint8Array.from(integers(size + skip, 2).subarray(skip)));
    return {
      kernel: 'logical',
      name: `${op} ${size}`,
      run: async (device) => ({ values: logical({ op, a, ...(op !== 'not' && { b }), device }) }),
      tolerance: {},
    };
  }),
);

const selectCases = [...SIZES.map((rows) => [rows, 1]), [1, 1], [7, 3], [300, 17], [3, 40001], [2000, 33]].map(
  ([rows, inner]): ParityCase => ({
    kernel: 'select',
    name: `${rows}x${inner}`,
    run: async (device) => {
      // 1 takes t; 2 is not 1.
      const condition = Uint8Array.from(integers(rows, 3));
      const [t, e] = [normal(rows * inner).fill(NaN, 0, 1), normal(rows * inner, 2)];
      return { values: select({ condition, t, e, rows, inner, device }) };
    },
    tolerance: {},
  }),
);

/** batch, outer, size, inner, count */
const GATHERS = [
  [1, 1, 1, 1, 1],
  [1, 1, 100, 1, 70001],
  [1, 1, 50, 64, 700],
  [1, 6, 5, 3, 9],
  [3, 2, 7, 4, 5],
  [2, 1, 3, 40001, 2],
  [4, 1, 9, 1, 3],
];

const gatherCases = GATHERS.map(
  ([batch, outer, size, inner, count]): ParityCase => ({
    kernel: 'gather',
    name: `${[batch, outer, size, inner]} by ${count}`,
    run: async (device) => {
      const [x, indices] = [normal(batch * outer * size * inner), integers(batch * count, size)];
      return { values: gather({ x, indices, batch, outer, size, inner, count, device }) };
    },
    tolerance: {},
  }),
);

/** rows, inner, segments */
const SEGMENTS = [
  [1, 1, 1],
  [70001, 1, 1],
  [70001, 1, 30000],
  [5000, 33, 3],
  [300, 64, 10],
  [40, 17, 1000],
  [3, 40001, 2],
];

const segmentCase = (name: string, ids: Int32Array, inner: number, segments: number): ParityCase => ({
  kernel: 'segmentSum',
  name,
  run: async (device) => {
    const x = normal(ids.length * inner);
    return { values: segmentSum({ x, ids, rows: ids.length, inner, segments, device }) };
  },
  // Both add in double; what differs is the order where a segment is cut.
  tolerance: { values: 1e-6 },
  floor: 1e-3,
});

const segmentCases = [
  ...SEGMENTS.map(([rows, inner, segments]) =>
    segmentCase(`${rows}x${inner} in ${segments}`, integers(rows, segments), inner, segments),
  ),
  segmentCase('ids out of range', integers(500, 9, -4), 5, 6),
  segmentCase('no row counts', new Int32Array(20).fill(-1), 3, 4),
];

const oneHotCases = [
  [1, 1],
  [70001, 2],
  [64, 10],
  [33, 17],
  [2, 50000],
].map(
  ([rows, depth]): ParityCase => ({
    kernel: 'oneHot',
    name: `${rows}x${depth}`,
    run: async (device) => ({
      zeros: oneHot({ indices: integers(rows, depth), rows, depth, device }),
      values: oneHot({ indices: integers(rows, depth + 2, -2), rows, depth, on: 0.5, off: -3, device }),
    }),
    tolerance: {},
  }),
);

/** outer, reduced, inner */
const BLOCKS = [
  [1, 1, 1],
  [1, 70001, 1],
  [5, 33, 1],
  [300, 17, 1],
  [4, 1000, 1],
  [1, 6001, 32],
  [64, 49, 100],
  [2, 3, 5],
  [1, 9, 40000],
  [4, 1000, 7],
];

const argCases = ARG_REDUCE_OPS.flatMap((op): ParityCase[] => {
  const row = (name: string, x: Float32Array, [outer, reduced, inner]: number[]): ParityCase => ({
    kernel: 'argReduce',
    name: `${op} ${outer}x${reduced}x${inner}${name}`,
    run: async (device) => ({ places: argReduce({ op, x, outer, reduced, inner, device }) }),
    tolerance: {},
  });
  const size = ([outer, reduced, inner]: number[]) => outer * reduced * inner;
  // The first value of some rows or columns, the best of others.
  const withNaN = (length: number) => normal(length).map((v, i) => (i % 7 === 0 || v > 1 ? NaN : v));
  const infinite = (length: number) => normal(length).map((v) => (op === 'max' ? -1 : 1) * (v > 2 ? v : Infinity));
  return BLOCKS.flatMap((block) => [
    row('', normal(size(block)), block),
    row(' ties', coarse(size(block)), block),
    row(' NaN', withNaN(size(block)), block),
    row(' infinite', infinite(size(block)), block),
  ]);
});

/** rows, cols, k */
const TOPS = [
  [1, 1, 1],
  [3, 17, 17],
  [5, 100, 1],
  [64, 300, 10],
  [2, 20000, 300],
  [1, 70001, 3],
  [2000, 9, 4],
];

const topCases = TOPS.flatMap(([rows, cols, k]): ParityCase[] => {
  const row = (name: string, x: Float32Array): ParityCase => ({
    kernel: 'topK',
    name: `${k} of ${rows}x${cols}${name}`,
    run: async (device) => ({ ...topK({ x, rows, cols, k, device }) }),
    tolerance: {},
  });
  const some = normal(rows * cols).map((v, i) => [v, NaN, Infinity, -Infinity, 0, -0, v][i % 7]);
  return [row('', normal(rows * cols)), row(' ties', coarse(rows * cols)), row(' extremes', some)];
});

const softmaxCase = (name: string, x: Float32Array, rows: number, cols: number): ParityCase => ({
  kernel: 'softmax',
  name,
  run: async (device) => ({ values: softmax({ x, rows, cols, device }) }),
  // A difference of 50, rounded to float32, moves its power by 3e-6.
  tolerance: { values: 1e-5 },
  floor: 1e-30,
});

const softmaxCases = [
  ...[
    [1, 1],
    [1, 70001],
    [300, 17],
    [64, 10],
    [5000, 33],
    [3, 1000],
  ].map(([rows, cols]) =>
    softmaxCase(
      `${rows}x${cols}`,
      normal(rows * cols).map((v) => 10 * v),
      rows,
      cols,
    ),
  ),
  softmaxCase(
    'far apart',
    normal(40).map((v) => 1e4 * v),
    2,
    20,
  ),
  softmaxCase(
    'NaN, infinities',
    Float32Array.of(1, NaN, 2, 1, Infinity, 2, -Infinity, -Infinity, -Infinity, 1, -Infinity, 2),
    4,
    3,
  ),
];

/** What compares, chooses and picks. */
export const selectionCases = [
  ...compareCases,
  ...logicalCases,
  ...selectCases,
  ...gatherCases,
  ...segmentCases,
  ...oneHotCases,
  ...argCases,
  ...topCases,
  ...softmaxCases,
];
