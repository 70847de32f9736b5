import { LONG } from '../../long.js';
import {
  type ConvReluStackLayer,
  convReluStack,
  convReluStackBackpropInput,
  passedLength,
} from '../network/by-device.js';
import { normalMatrix } from '../support.js';
import { geometryOf } from './products.js';
import type { ParityCase } from './types.js';

const values = (length: number, seed: number) => normalMatrix(1, length, { seed }).data;

/** Batch, height, width, channels of the images; then per layer its filters, the filter's side, the stride and the dilation (1). */
const STACKS: [[number, number, number, number], [number, number, number, number?][]][] = [
  [[1, 1, 1, 1], [[1, 1, 1]]],
  [[3, 5, 4, 2], [[7, 3, 1]]],
  // The demo's network, and images that a task of two, or of three, does not divide.
  [
    [LONG ? 25 : 7, 28, 28, 1],
    [
      [32, 3, 1],
      [64, 3, 2],
      [128, 3, 2],
    ],
  ],
  // Few channels inside, more than a word of bits, a part of one; strides that leave pixels without any tap.
  [
    [2, 9, 8, 16],
    [
      [3, 3, 1],
      [40, 3, 2],
      [33, 1, 2],
      [16, 3, 1],
    ],
  ],
  [
    [17, 6, 7, 3],
    [
      [5, 3, 1],
      [13, 5, 1],
    ],
  ],
  // A filter spread out, and one that padding alone can feed at the edges.
  [
    [9, 11, 10, 20],
    [
      [24, 3, 1, 3],
      [18, 2, 3, 2],
    ],
  ],
  // Several to a task, at the first layer too.
  [
    [34, 6, 7, 16],
    [
      [40, 3, 1],
      [33, 3, 2],
    ],
  ],
  // Residual blocks: of one layer with few channels, of 3x3 filters that are tiled, and a bottleneck.
  [[3, 5, 4, 2], [[2, 3, 1]]],
  [
    [5, 9, 8, 20],
    [
      [12, 3, 1],
      [20, 3, 1],
    ],
  ],
  [
    [4, 6, 7, 40],
    [
      [9, 1, 1],
      [9, 3, 1],
      [40, 1, 1],
    ],
  ],
  // Images too large for a task, and patches too deep to be laid.
  [
    [LONG ? 2 : 1, 60, 61, 8],
    [
      [32, 3, 1],
      [80, 3, 1],
      [16, 3, 3],
    ],
  ],
];

function stackOf([[batch, h, w, c], rows]: (typeof STACKS)[number]): ConvReluStackLayer[] {
  let [inHeight, inWidth, inChannels] = [h, w, c];
  return rows.map(([outChannels, side, stride, dilation = 1], i) => {
    const layer = geometryOf([inHeight, inWidth, inChannels, outChannels, side, stride, dilation, 'same']);
    const geometry = { ...layer, batch };
    // So that values stay of one size through the layers.
    const scale = 1 / Math.sqrt(side * side * inChannels);
    const filter = values(side * side * inChannels * outChannels, 10 + i).map((x) => x * scale);
    [inHeight, inWidth, inChannels] = [geometry.outHeight, geometry.outWidth, outChannels];
    return { geometry, filter, bias: values(outChannels, 20 + i) };
  });
}

/** Whether the input may be the sum. */
function isResidual(layers: ConvReluStackLayer[]): boolean {
  const [first, last] = [layers[0].geometry, layers[layers.length - 1].geometry];
  return first.inHeight === last.outHeight && first.inWidth === last.outWidth && first.inChannels === last.outChannels;
}

export const convReluStackCases: ParityCase[] = STACKS.flatMap((row): ParityCase[] => {
  const layers = stackOf(row);
  const last = layers[layers.length - 1].geometry;
  const input = values(
    row[0].reduce((a, b) => a * b),
    1,
  );
  const dy = values(last.batch * last.outHeight * last.outWidth * last.outChannels, 2);
  // Any bits: the gradient is defined for all. Those of channels that there are not say nothing.
  const passed = new Int32Array(values(passedLength(layers), 3).map((x) => x * 1e9));
  const sum = values(dy.length, 4);
  const name = `${row[0].join('x')}, ${row[1].map((layer) => layer.join(' ')).join(', ')}`;
  const common = { name, floor: 1 };
  return [
    {
      ...common,
      kernel: 'convReluStack',
      tolerance: { out: 1e-5, passed: 0 },
      run: async (device) => ({ ...convReluStack({ layers, input, device }) }),
    },
    {
      ...common,
      kernel: 'convReluStackBackpropInput',
      tolerance: { out: 1e-5 },
      run: async (device) => ({ ...convReluStackBackpropInput({ layers, dy, passed, device }) }),
    },
    {
      ...common,
      name: `${name}, and a sum`,
      kernel: 'convReluStack',
      tolerance: { out: 1e-5, passed: 0 },
      run: async (device) => {
        return { ...convReluStack({ layers, input, sum: isResidual(layers) ? input : sum, device }) };
      },
    },
    {
      ...common,
      name: `${name}, and a sum`,
      kernel: 'convReluStackBackpropInput',
      tolerance: { out: 1e-5, masked: 0 },
      run: async (device) => {
        const [residual, masked] = [isResidual(layers), new Float32Array(dy.length)];
        return { ...convReluStackBackpropInput({ layers, dy, passed, residual, masked, device }) };
      },
    },
  ];
});
