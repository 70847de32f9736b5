import {
  adamW,
  BINARY_OPS,
  batchMoments,
  batchNorm,
  batchNormGradient,
  binary,
  POOL_OPS,
  pool2d,
  pool2dGradient,
  REDUCE_OPS,
  reduce,
  type StridedCopyOptions,
  stridedCopy,
  UNARY_OPS,
  unary,
} from '../network/by-device.js';
import { normalMatrix } from '../support.js';
import { EXTREMES, LAYOUTS, reach, SIZES } from './layouts.js';
import type { ParityCase } from './types.js';

const normal = (length: number, seed = 1) => normalMatrix(1, length, { seed }).data;
const positive = (length: number, seed = 1) => normal(length, seed).map((v) => Math.abs(v) + 0.01);

const unaryCases = UNARY_OPS.flatMap((op): ParityCase[] => {
  const input = (size: number) => (op === 'log' || op === 'rsqrt' || op === 'sqrt' ? positive(size) : normal(size));
  const exact = !['exp', 'log', 'log1p', 'rsqrt', 'sigmoid', 'tanh'].includes(op);
  const row = (name: string, x: Float32Array): ParityCase => ({
    kernel: 'unary',
    name: `${op} ${name}`,
    run: async (device) => ({ values: unary({ op, x, alpha: -0.25, beta: 0.75, device }) }),
    tolerance: { values: exact ? 0 : 1e-6 },
    floor: 1e-37,
  });
  return [...SIZES.map((size) => row(`${size}`, input(size))), row('extremes', EXTREMES)];
});

const binaryCases = BINARY_OPS.flatMap((op): ParityCase[] => {
  const row = (name: string, o: Omit<Parameters<typeof binary>[0], 'op'>): ParityCase => ({
    kernel: 'binary',
    name: `${op} ${name}`,
    run: async (device) => ({ values: binary({ op, ...o, device }) }),
    tolerance: { values: 5e-7 },
    floor: 1,
  });
  const pairs = [...EXTREMES].flatMap((x) => [...EXTREMES].map((y) => [x, y]));
  const column = (i: number) => Float32Array.from(pairs, (pair) => pair[i]);
  const one = { shape: [1, 1, 1, pairs.length], aStrides: [0, 0, 0, 1], bStrides: [0, 0, 0, 1] };
  return [
    ...LAYOUTS.map(([shape, aStrides, bStrides]) =>
      row(`${shape} ${aStrides} ${bStrides}`, {
        ...{ shape, aStrides, bStrides },
        a: normal(reach(shape, aStrides)),
        b: normal(reach(shape, bStrides), 2),
      }),
    ),
    row('extremes', { ...one, a: column(0), b: column(1) }),
  ];
});

const BLOCKS = [
  [1, 1, 1],
  [1, 70001, 1],
  [5, 33, 1],
  [3000, 17, 1],
  [1, 6001, 32],
  [64, 49, 100],
  [2, 3, 5],
  [1, 9, 40000],
  [4, 1000, 7],
];

const reduceCases = REDUCE_OPS.flatMap((op): ParityCase[] => {
  const row = (name: string, x: Float32Array, [outer, reduced, inner]: number[]): ParityCase => ({
    kernel: 'reduce',
    name: `${op} ${outer}x${reduced}x${inner}${name}`,
    run: async (device) => ({ values: reduce({ op, x, outer, reduced, inner, device }) }),
    tolerance: { values: op === 'sum' || op === 'mean' ? 1e-6 : 0 },
    // The size of what is summed, not of a sum that happens to cancel.
    floor: op === 'sum' ? reduced : 1,
  });
  const withNaN = normal(600).fill(NaN, 130, 131);
  const cases = BLOCKS.map((block) => row('', normal(block[0] * block[1] * block[2]), block));
  return [...cases, row(' NaN', withNaN, [2, 300, 1]), row(' NaN', withNaN, [1, 30, 20])];
});

const NORMS = [
  [1, 1],
  [7, 3],
  [100, 16],
  [1000, 33],
  [3001, 64],
  [50, 200],
  [5, 9000],
];

const batchNormCases = NORMS.flatMap(([rows, channels]): ParityCase[] => {
  const x = normal(rows * channels).map((v, i) => v * 3 + ((i % channels) % 7));
  const dy = normal(rows * channels, 2);
  const [mean, variance] = [normal(channels, 3).map((v, c) => v / 10 + (c % 7)), positive(channels, 4)];
  const [scale, offset] = [normal(channels, 5), normal(channels, 6)];
  const inputs = { x, rows, channels, mean, variance, scale, offset, epsilon: 1e-3 };
  const name = `${rows}x${channels}`;
  const moments: ParityCase = {
    kernel: 'batchMoments',
    name,
    run: async (device) => ({ ...batchMoments({ x, rows, channels, device }) }),
    tolerance: { mean: 1e-5, variance: 1e-5 },
    floor: 1,
  };
  const perActivation = (['none', 'relu', 'relu6'] as const).flatMap((activation): ParityCase[] => [
    {
      kernel: 'batchNorm',
      name: `${name} ${activation}`,
      run: async (device) => ({ values: batchNorm({ ...inputs, activation, device }) }),
      tolerance: { values: 1e-5 },
      floor: 10,
    },
    {
      kernel: 'batchNormGradient',
      name: `${name} ${activation}`,
      run: async (device) => ({ ...batchNormGradient({ ...inputs, dy, activation, device }) }),
      tolerance: { dx: 1e-5, dScale: 1e-5, dOffset: 1e-5 },
      floor: 10,
    },
  ]);
  return [moments, ...perActivation];
});

/** Image height, width, channels; window height, width; stride; padding before. */
const POOLS = [
  [4, 4, 1, 2, 2, 2, 0],
  [7, 5, 3, 3, 2, 2, 1],
  [9, 9, 16, 3, 3, 1, 1],
  [6, 8, 33, 2, 3, 3, 0],
  [5, 5, 70, 5, 5, 1, 2],
];

const poolCases = POOL_OPS.flatMap((op) =>
  POOLS.flatMap(([inHeight, inWidth, channels, filterHeight, filterWidth, stride, pad]): ParityCase[] => {
    const image = {
      batch: 3,
      inHeight,
      inWidth,
      inChannels: channels,
      outChannels: channels,
      filterHeight,
      filterWidth,
    };
    const out = (size: number, window: number) => Math.floor((size + 2 * pad - window) / stride) + 1;
    const steps = { strideHeight: stride, strideWidth: stride, dilationHeight: 1, dilationWidth: 1 };
    const outer = { outHeight: out(inHeight, filterHeight), outWidth: out(inWidth, filterWidth) };
    const geometry = { ...image, ...steps, ...outer, padTop: pad, padLeft: pad };
    // Few distinct values, so that windows have ties; some NaN for max.
    const x = normal(3 * inHeight * inWidth * channels).map((v) => Math.round(v * 2) / 2);
    if (op === 'max') x.fill(NaN, 0, 1 + channels);
    const dy = normal(3 * geometry.outHeight * geometry.outWidth * channels, 2);
    const name = `${op} ${[inHeight, inWidth, channels, filterHeight, filterWidth, stride, pad].join(' ')}`;
    const common = { name, tolerance: { values: 1e-6 }, floor: 1 };
    return [
      { kernel: 'pool2d', ...common, run: async (device) => ({ values: pool2d({ op, geometry, x, device }) }) },
      {
        kernel: 'pool2dGradient',
        ...common,
        run: async (device) => ({ values: pool2dGradient({ op, geometry, x, dy, device }) }),
      },
    ];
  }),
);

/** What the tfjs backend needs besides products. */
const adamWCases = SIZES.map((size): ParityCase => {
  const operands = {
    weights: normal(size),
    gradient: normal(size, 2),
    first: normal(size, 3),
    second: positive(size, 4),
  };
  const settings = { beta1: 0.9, beta2: 0.999, kept: 0.9999, rate: 1e-2, floor: 1e-6 };
  return {
    kernel: 'adamW',
    name: `${size}`,
    run: async (device) => ({ ...adamW({ ...operands, ...settings, device }) }),
    tolerance: { weights: 1e-6, first: 1e-6, second: 1e-6 },
    floor: 0.1,
  };
});

const copyCase = (name: string, length: number, o: Omit<StridedCopyOptions, 'x'>): ParityCase => ({
  kernel: 'stridedCopy',
  name,
  // `out` is a copy: what is not written must stay.
  run: async (device) => ({ values: stridedCopy({ x: normal(length), ...o, out: o.out.slice(), device }) }),
  tolerance: {},
});

const copyCases = [
  copyCase('one value', 1, { shape: [1], xStrides: [0], outStrides: [0], out: normal(1, 2) }),
  copyCase('a run', 70001, { shape: [70001], xStrides: [1], outStrides: [1], out: normal(70001, 2) }),
  copyCase('every third, backwards', 300, {
    ...{ shape: [100], xStrides: [-3], outStrides: [2], xOffset: 299, outOffset: 1 },
    out: normal(201, 2),
  }),
  copyCase('transposed', 35 * 17, { shape: [17, 35], xStrides: [1, 17], outStrides: [35, 1], out: normal(35 * 17, 2) }),
  copyCase('a part of six axes', 64 * 729, {
    shape: [2, 3, 1, 2, 3, 2],
    xStrides: [15552, 2592, 432, 72, 12, 1],
    outStrides: [36, 12, 12, 6, 2, 1],
    ...{ xOffset: 5, out: normal(72, 2) },
  }),
  copyCase('repeated', 9, { shape: [4000, 9], xStrides: [0, 1], outStrides: [9, 1], out: normal(36000, 2) }),
];

export const tensorCases = [
  ...copyCases,
  ...adamWCases,
  ...unaryCases,
  ...binaryCases,
  ...reduceCases,
  ...batchNormCases,
  ...poolCases,
];
