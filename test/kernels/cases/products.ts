import {
  type Conv2DGeometry,
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropInput,
  depthwiseConv2d,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
  matmul,
} from '../network/by-device.js';
import { normalMatrix } from '../support.js';
import type { ParityCase } from './types.js';

const values = (length: number, seed = 1) => normalMatrix(1, length, { seed }).data;

type MatMul = Parameters<typeof matmul>[0];

function matmulCase(name: string, o: Omit<MatMul, 'a' | 'b'>): ParityCase {
  const batch = o.batch ?? 1;
  const a = values((o.broadcastA ? 1 : batch) * o.m * o.k);
  const b = values((o.broadcastB ? 1 : batch) * o.k * o.n, 2);
  return {
    kernel: 'matmul',
    name: `${o.m}x${o.n}x${o.k} ${name}`,
    run: async (device) => ({ product: matmul({ a, b, ...o, device }) }),
    tolerance: { product: 1e-5 },
    floor: Math.sqrt(o.k),
  };
}

const MATMUL_SHAPES = [
  [1, 1, 1],
  [3, 5, 2],
  [6, 16, 8],
  [14, 32, 16],
  [15, 33, 17],
  [64, 10, 128],
  [130, 65, 300],
  [9, 11, 700],
  [12, 20, 5000],
  [500, 130, 70],
] as const;

const matmulCases = MATMUL_SHAPES.flatMap(([m, n, k]) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) =>
      matmulCase(`${transposeA ? 'aT' : 'a'} ${transposeB ? 'bT' : 'b'}`, { m, n, k, transposeA, transposeB }),
    ),
  ),
).concat(
  matmulCase('bias, relu', { m: 20, n: 37, k: 9, bias: values(37, 3), activation: 'relu' }),
  matmulCase('bias, relu6, long k', { m: 20, n: 37, k: 5000, bias: values(37, 3), activation: 'relu6' }),
  matmulCase('blocks, long k', { m: 300, n: 270, k: 4100, transposeA: true }),
  matmulCase('batch 3', { m: 5, n: 6, k: 7, batch: 3 }),
  matmulCase('batch 3, one a', { m: 5, n: 6, k: 7, batch: 3, broadcastA: true }),
  matmulCase('batch 3, one b', { m: 5, n: 6, k: 7, batch: 3, broadcastB: true }),
);

/** in height, width, channels; out channels; filter; stride; dilation; pad ('same' or 'valid'). */
const CONVOLUTIONS: [number, number, number, number, number, number, number, 'same' | 'valid'][] = [
  [1, 1, 1, 1, 1, 1, 1, 'valid'],
  [5, 4, 1, 3, 3, 1, 1, 'same'],
  [7, 6, 3, 5, 3, 1, 1, 'same'],
  [7, 6, 3, 5, 3, 2, 1, 'same'],
  [8, 8, 3, 4, 3, 2, 1, 'valid'],
  [9, 9, 17, 8, 3, 2, 1, 'same'],
  [6, 7, 8, 33, 1, 1, 1, 'same'],
  [6, 7, 16, 9, 1, 2, 1, 'same'],
  [11, 10, 4, 6, 3, 1, 2, 'same'],
  [12, 12, 32, 64, 3, 1, 1, 'same'],
  [10, 10, 64, 20, 5, 3, 1, 'same'],
  [12, 5, 70, 16, 3, 1, 1, 'valid'],
  [40, 40, 3, 16, 3, 2, 1, 'same'],
  [28, 30, 1, 64, 3, 1, 1, 'same'],
  [15, 33, 2, 9, 3, 1, 1, 'valid'],
  [13, 11, 32, 48, 3, 2, 1, 'same'],
  [9, 20, 16, 32, 5, 3, 2, 'same'],
  [30, 7, 48, 16, 3, 2, 1, 'valid'],
  // Lines of a first layer.
  [9, 31, 3, 40, 7, 2, 1, 'same'],
  [21, 47, 4, 17, 5, 1, 1, 'valid'],
  [6, 62, 1, 70, 3, 3, 1, 'same'],
  // The filter's gradient tap by tap: some with all, few or no pixels; ranges and blocks of both operands.
  [2, 2, 256, 20, 3, 1, 1, 'same'],
  [1, 1, 300, 33, 3, 1, 1, 'same'],
  [24, 25, 260, 9, 3, 2, 1, 'same'],
  [4, 5, 256, 40, 1, 2, 1, 'same'],
  [24, 24, 40, 300, 1, 1, 1, 'same'],
  [16, 17, 300, 40, 1, 1, 1, 'same'],
];

export function geometryOf([h, w, ci, co, f, s, d, pad]: (typeof CONVOLUTIONS)[number]): Conv2DGeometry {
  const extent = (f - 1) * d + 1;
  const out = (n: number) => (pad === 'same' ? Math.ceil(n / s) : Math.floor((n - extent) / s) + 1);
  const before = (n: number) => (pad === 'same' ? Math.max(0, (out(n) - 1) * s + extent - n) >> 1 : 0);
  const filter = {
    filterHeight: f,
    filterWidth: f,
    strideHeight: s,
    strideWidth: s,
    dilationHeight: d,
    dilationWidth: d,
  };
  const input = { batch: 2, inHeight: h, inWidth: w, inChannels: ci };
  return {
    ...input,
    outHeight: out(h),
    outWidth: out(w),
    outChannels: co,
    ...filter,
    padTop: before(h),
    padLeft: before(w),
  };
}

const convolutionCases = CONVOLUTIONS.flatMap((row): ParityCase[] => {
  const g = geometryOf(row);
  const input = values(g.batch * g.inHeight * g.inWidth * g.inChannels);
  const filter = values(g.filterHeight * g.filterWidth * g.inChannels * g.outChannels, 2);
  const dy = values(g.batch * g.outHeight * g.outWidth * g.outChannels, 3);
  const bias = values(g.outChannels, 4);
  const name = `${g.inHeight}x${g.inWidth}x${g.inChannels} -> ${g.outChannels}, ${row.slice(4).join(' ')}`;
  const common = { tolerance: { values: 1e-5 }, floor: 30 };
  return [
    {
      kernel: 'conv2d',
      name,
      ...common,
      run: async (device) => ({ values: conv2d({ geometry: g, input, filter, device }) }),
    },
    {
      kernel: 'conv2d',
      name: `${name}, bias, relu`,
      ...common,
      run: async (device) => ({
        values: conv2d({ geometry: g, input, filter, bias, activation: 'relu', device }),
      }),
    },
    {
      kernel: 'conv2dBackpropInput',
      name,
      ...common,
      run: async (device) => ({ values: conv2dBackpropInput({ geometry: g, dy, filter, device }) }),
    },
    {
      kernel: 'conv2dBackpropFilter',
      name,
      ...common,
      run: async (device) => ({ values: conv2dBackpropFilter({ geometry: g, input, dy, device }) }),
    },
  ];
});

const depthwiseCases = CONVOLUTIONS.flatMap((row): ParityCase[] => {
  const whole = geometryOf(row);
  const g = { ...whole, outChannels: whole.inChannels };
  const input = values(g.batch * g.inHeight * g.inWidth * g.inChannels);
  const filter = values(g.filterHeight * g.filterWidth * g.inChannels, 2);
  const dy = values(g.batch * g.outHeight * g.outWidth * g.inChannels, 3);
  const name = `${g.inHeight}x${g.inWidth}x${g.inChannels}, ${row.slice(4).join(' ')}`;
  const bias = values(g.inChannels, 4);
  const ended = { geometry: g, input, filter, bias };
  const runs: [string, string, (device: 'js' | 'cpu' | 'cuda' | 'webgpu') => Float32Array][] = [
    ['depthwiseConv2d', '', (device) => depthwiseConv2d({ geometry: g, input, filter, device })],
    ['depthwiseConv2d', ', bias, relu6', (device) => depthwiseConv2d({ ...ended, activation: 'relu6', device })],
    ['depthwiseConv2dBackpropInput', '', (device) => depthwiseConv2dBackpropInput({ geometry: g, dy, filter, device })],
    [
      'depthwiseConv2dBackpropFilter',
      '',
      (device) => depthwiseConv2dBackpropFilter({ geometry: g, input, dy, device }),
    ],
  ];
  return runs.map(([kernel, end, run]) => ({
    kernel,
    name: `${name}${end}`,
    run: async (device) => ({ values: run(device) }),
    tolerance: { values: 1e-5 },
    floor: 10,
  }));
});

export const productCases: ParityCase[] = [...matmulCases, ...convolutionCases, ...depthwiseCases];
