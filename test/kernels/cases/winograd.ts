import {
  type Conv2DGeometry,
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropInput,
  convReluStack,
  convReluStackBackpropInput,
  passedLength,
} from '../network/by-device.js';
import { normalMatrix } from '../support.js';
import type { ParityCase } from './types.js';

const values = (length: number, seed: number) => normalMatrix(1, length, { seed }).data;

/** Images, height, width, channels in and out, rows and columns of zeros above and on the left, height and width of the output. */
type Shape = [
  n: number,
  h: number,
  w: number,
  ci: number,
  co: number,
  top: number,
  left: number,
  oh: number,
  ow: number,
];

/** A 3x3 convolution of stride 1 that Winograd takes, by tiles of so many outputs a side. */
export const WINOGRAD_SHAPES: { tile: 2 | 4; shape: Shape }[] = [
  // Maps of one to five pixels, of which a tile may be larger.
  { tile: 2, shape: [5, 2, 2, 24, 40, 1, 1, 2, 2] },
  { tile: 2, shape: [3, 2, 3, 8, 16, 1, 1, 2, 3] },
  { tile: 4, shape: [3, 3, 3, 17, 33, 1, 1, 3, 3] },
  { tile: 4, shape: [4, 4, 4, 32, 32, 1, 1, 4, 4] },
  { tile: 2, shape: [2, 5, 5, 9, 8, 1, 1, 5, 5] },
  // Sides that tiles do not divide, channels that vectors do not.
  { tile: 4, shape: [3, 7, 11, 16, 70, 1, 1, 7, 11] },
  { tile: 4, shape: [2, 13, 9, 35, 15, 1, 1, 13, 9] },
  { tile: 2, shape: [2, 6, 2, 8, 100, 1, 1, 6, 2] },
  // Without a border, with one on two sides, with a wide one, and one that leaves pixels out.
  { tile: 4, shape: [2, 14, 10, 20, 24, 0, 0, 12, 8] },
  { tile: 4, shape: [2, 8, 9, 12, 48, 2, 0, 8, 8] },
  { tile: 4, shape: [2, 4, 5, 16, 16, 4, 3, 11, 10] },
  { tile: 4, shape: [2, 9, 8, 16, 33, -1, -2, 7, 4] },
  // Many tiles, so that the filter's gradient is summed by ranges.
  { tile: 4, shape: [9, 28, 30, 8, 24, 1, 1, 28, 30] },
  { tile: 2, shape: [64, 6, 5, 8, 16, 1, 1, 6, 5] },
  // So much filter that tasks go by its columns; few columns for the threads.
  { tile: 4, shape: [2, 4, 4, 256, 260, 1, 1, 4, 4] },
  { tile: 4, shape: [15, 4, 3, 2048, 32, 1, 1, 4, 3] },
];

export function winogradGeometry([batch, inHeight, inWidth, ci, co, padTop, padLeft, oh, ow]: Shape): Conv2DGeometry {
  const sizes = { batch, inHeight, inWidth, inChannels: ci, outHeight: oh, outWidth: ow, outChannels: co };
  const plain = { strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1 };
  return { ...sizes, ...plain, filterHeight: 3, filterWidth: 3, padTop, padLeft };
}

export function winogradOperands(g: Conv2DGeometry) {
  return {
    input: values(g.batch * g.inHeight * g.inWidth * g.inChannels, 1),
    filter: values(9 * g.inChannels * g.outChannels, 2),
    dy: values(g.batch * g.outHeight * g.outWidth * g.outChannels, 3),
    bias: values(g.outChannels, 4),
  };
}

const singles = WINOGRAD_SHAPES.flatMap(({ tile, shape }): ParityCase[] => {
  const geometry = winogradGeometry(shape);
  const { input, filter, dy, bias } = winogradOperands(geometry);
  const tolerance = { values: tile === 2 ? 1e-5 : 5e-5 };
  const name = `by tiles of ${tile}x${tile}, ${shape.join(' ')}`;
  const pixels =
    geometry.batch * Math.min(geometry.inHeight, geometry.outHeight) * Math.min(geometry.inWidth, geometry.outWidth);
  // Of an output one to nine of the taps are inside, and of a tap's pixels a quarter or more.
  const [forward, backward] = [geometry.inChannels, geometry.outChannels].map((channels) => 2 * Math.sqrt(channels));
  return [
    {
      ...{ kernel: 'conv2d', name, tolerance, floor: forward },
      run: async (device) => ({ values: conv2d({ geometry, input, filter, bias, activation: 'relu6', device }) }),
    },
    {
      ...{ kernel: 'conv2dBackpropInput', name, tolerance, floor: backward },
      run: async (device) => ({ values: conv2dBackpropInput({ geometry, dy, filter, device }) }),
    },
    {
      ...{ kernel: 'conv2dBackpropFilter', name, tolerance, floor: Math.sqrt(pixels) / 2 },
      run: async (device) => ({ values: conv2dBackpropFilter({ geometry, input, dy, device }) }),
    },
  ];
});

/** Winograd above and below a layer of stride 2, and a last word of bits that is not full. */
const layers = [
  winogradGeometry([3, 12, 10, 16, 48, 1, 1, 12, 10]),
  { ...winogradGeometry([3, 12, 10, 48, 40, 0, 0, 6, 5]), strideHeight: 2, strideWidth: 2 },
  winogradGeometry([3, 6, 5, 40, 75, 1, 1, 6, 5]),
].map((geometry, i) => {
  const scale = 1 / Math.sqrt(9 * geometry.inChannels);
  const filter = values(9 * geometry.inChannels * geometry.outChannels, 10 + i).map((x) => x * scale);
  return { geometry, filter, bias: values(geometry.outChannels, 20 + i) };
});

const name = 'Winograd among other layers';
const stacks: ParityCase[] = [
  {
    ...{ kernel: 'convReluStack', name, floor: 1, tolerance: { out: 5e-5, passed: 0 } },
    run: async (device) => ({ ...convReluStack({ layers, input: values(3 * 12 * 10 * 16, 1), device }) }),
  },
  {
    ...{ kernel: 'convReluStackBackpropInput', name, floor: 1, tolerance: { out: 5e-5 } },
    run: async (device) => {
      const passed = new Int32Array(values(passedLength(layers), 3).map((x) => x * 1e9));
      return { ...convReluStackBackpropInput({ layers, dy: values(3 * 6 * 5 * 75, 2), passed, device }) };
    },
  },
];

export const winogradCases: ParityCase[] = [...singles, ...stacks];
