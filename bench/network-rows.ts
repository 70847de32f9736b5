import * as network from '../test/kernels/network/by-device.js';
import { pair, type Row, values } from './row.js';

/** 3 x 3 windows at the given stride, padded by one. */
function window(batch: number, side: number, inChannels: number, outChannels: number, stride: number) {
  const out = Math.floor((side - 1) / stride) + 1;
  return {
    ...{ batch, inHeight: side, inWidth: side, inChannels, outHeight: out, outWidth: out, outChannels },
    ...{ filterHeight: 3, filterWidth: 3, strideHeight: stride, strideWidth: stride },
    ...{ dilationHeight: 1, dilationWidth: 1, padTop: 1, padLeft: 1 },
  };
}

/** Images, side, channels in, channels out. */
type Layer = [batch: number, side: number, inChannels: number, outChannels: number];

const LAYERS: [Layer, Layer] = [
  [2, 8, 4, 8],
  [64, 14, 32, 64],
];

function depthwiseLayer([batch, side, channels]: Layer) {
  const geometry = window(batch, side, channels, channels, 1);
  const input = values(batch * side * side * channels);
  const dy = values(input.length, 0);
  return { geometry, input, dy, filter: values(9 * channels), shape: `${batch} x ${side}x${side}x${channels}, 3x3` };
}

function layer([batch, side, inChannels, outChannels]: Layer) {
  const geometry = window(batch, side, inChannels, outChannels, 1);
  const input = values(batch * side * side * inChannels);
  const filter = values(9 * inChannels * outChannels);
  const dy = values(batch * side * side * outChannels);
  const flops = 2 * 9 * batch * side * side * inChannels * outChannels;
  return {
    geometry,
    input,
    filter,
    dy,
    flops,
    shape: `${batch} x ${side}x${side}x${inChannels} to ${outChannels}, 3x3`,
  };
}

const products = [
  ...pair('matmul', [32, 512], (m) => {
    const [a, b] = [values(m * m), values(m * m, 0)];
    return {
      shape: `${m} x ${m} x ${m}`,
      flops: 2 * m ** 3,
      run: (device) => network.matmul({ a, b, m, n: m, k: m, device }),
    };
  }),
  ...pair('conv2d', LAYERS, (sizes) => {
    const { geometry, input, filter, flops, shape } = layer(sizes);
    return { shape, flops, run: (device) => network.conv2d({ geometry, input, filter, device }) };
  }),
  ...pair('conv2dBackpropInput', LAYERS, (sizes) => {
    const { geometry, dy, filter, flops, shape } = layer(sizes);
    return { shape, flops, run: (device) => network.conv2dBackpropInput({ geometry, dy, filter, device }) };
  }),
  ...pair('conv2dBackpropFilter', LAYERS, (sizes) => {
    const { geometry, input, dy, flops, shape } = layer(sizes);
    return { shape, flops, run: (device) => network.conv2dBackpropFilter({ geometry, input, dy, device }) };
  }),
  ...pair('depthwiseConv2d', LAYERS, (sizes) => {
    const { geometry, input, filter, shape } = depthwiseLayer(sizes);
    return { shape, run: (device) => network.depthwiseConv2d({ geometry, input, filter, device }) };
  }),
  ...pair('depthwiseConv2dBackpropInput', LAYERS, (sizes) => {
    const { geometry, filter, dy, shape } = depthwiseLayer(sizes);
    return { shape, run: (device) => network.depthwiseConv2dBackpropInput({ geometry, dy, filter, device }) };
  }),
  ...pair('depthwiseConv2dBackpropFilter', LAYERS, (sizes) => {
    const { geometry, input, dy, shape } = depthwiseLayer(sizes);
    return { shape, run: (device) => network.depthwiseConv2dBackpropFilter({ geometry, input, dy, device }) };
  }),
];

const LENGTHS: [number, number] = [1000, 2_000_000];
const CHANNELS: [[number, number], [number, number]] = [
  [64, 16],
  [50_176, 32],
];

function norm([rows, channels]: [number, number]) {
  const x = values(rows * channels);
  const options = { x, rows, channels, mean: values(channels), variance: values(channels, 0.5), epsilon: 1e-5 };
  return { options, dy: values(rows * channels, 0), shape: `${rows} x ${channels}` };
}

function pool([batch, side, channels]: Layer) {
  const geometry = window(batch, side, channels, channels, 2);
  const x = values(batch * side * side * channels);
  const dy = values(batch * geometry.outHeight * geometry.outWidth * channels);
  return {
    options: { op: 'max', geometry, x } as const,
    dy,
    shape: `${batch} x ${side}x${side}x${channels}, max 3x3 / 2`,
  };
}

const layers = [
  ...pair('unary', LENGTHS, (length) => {
    const x = values(length);
    return {
      shape: `relu, ${length}`,
      bytes: 8 * length,
      run: (device) => network.unary({ op: 'relu', x, device }),
    };
  }),
  ...pair('binary', LENGTHS, (length) => {
    const [a, b, strides] = [values(length), values(length, 0), [0, 0, 0, 1]];
    const options = { op: 'add', a, b, shape: [1, 1, 1, length], aStrides: strides, bStrides: strides } as const;
    return {
      shape: `add, ${length}`,
      bytes: 12 * length,
      run: (device) => network.binary({ ...options, shape: [...options.shape], device }),
    };
  }),
  ...pair('adamW', LENGTHS, (length) => {
    const [weights, gradient, first, second] = [-0.5, -0.4, -0.3, 0].map((low) => values(length, low));
    const operands = { weights, gradient, first, second };
    const out = {
      weights: new Float32Array(length),
      first: new Float32Array(length),
      second: new Float32Array(length),
    };
    const settings = { beta1: 0.9, beta2: 0.999, kept: 1, rate: 1e-3, floor: 1e-8, out };
    return { shape: `${length}`, run: (device) => network.adamW({ ...operands, ...settings, device }) };
  }),
  ...pair('stridedCopy', LENGTHS, (length) => {
    const [x, out, rows] = [values(length), new Float32Array(length), Math.ceil(length / 64)];
    const columns = Math.floor(length / rows);
    const options = { x, out, shape: [columns, rows], xStrides: [1, columns], outStrides: [rows, 1] };
    return {
      shape: `transpose ${rows} x ${columns}`,
      run: (device) => network.stridedCopy({ ...options, device }),
    };
  }),
  ...pair('reduce', LENGTHS, (length) => {
    const options = { op: 'sum', x: values(length), outer: 1, reduced: length, inner: 1 } as const;
    return { shape: `sum, ${length}`, run: (device) => network.reduce({ ...options, device }) };
  }),
  ...pair('batchMoments', CHANNELS, (sizes) => {
    const { options, shape } = norm(sizes);
    const { x, rows, channels } = options;
    return { shape, run: (device) => network.batchMoments({ x, rows, channels, device }) };
  }),
  ...pair('batchNorm', CHANNELS, (sizes) => {
    const { options, shape } = norm(sizes);
    return { shape, run: (device) => network.batchNorm({ ...options, device }) };
  }),
  ...pair('batchNormGradient', CHANNELS, (sizes) => {
    const { options, dy, shape } = norm(sizes);
    return { shape, run: (device) => network.batchNormGradient({ ...options, dy, device }) };
  }),
  ...pair('pool2d', LAYERS, (sizes) => {
    const { options, shape } = pool(sizes);
    return { shape, run: (device) => network.pool2d({ ...options, device }) };
  }),
  ...pair('pool2dGradient', LAYERS, (sizes) => {
    const { options, dy, shape } = pool(sizes);
    return { shape, run: (device) => network.pool2dGradient({ ...options, dy, device }) };
  }),
];

/** What networks run on, twice. */
export const networkRows: Row[] = [...products, ...layers];
