import { describe, expect, test } from 'vitest';
import { attackStep, centroidMeans, nearestNeighbors, pairwiseDistance } from '../../src/kernels/index.js';
import {
  binary,
  type Conv2DGeometry,
  compareValues,
  conv2d,
  depthwiseConv2d,
  matmul,
  oneHot,
  type PoolOp,
  pool2d,
  pool2dGradient,
  segmentSum,
  stridedCopy,
} from './network/by-device.js';
import { describeNative, normalMatrix, testDevices } from './support.js';

const wrong = (value: unknown) => value as never;

/** A list with a hole where `list` has undefined. */
function holed(list: (number | undefined)[]): number[] {
  const sparse = [...list] as number[];
  for (const [i, value] of list.entries()) if (value === undefined) delete sparse[i];
  return sparse;
}

/** A window of 2 x 2 over an image of one channel, stride 1, no padding. */
const geometry = (g: Partial<Conv2DGeometry> = {}): Conv2DGeometry => ({
  ...{ batch: 1, inHeight: 2, inWidth: 2, inChannels: 1, outHeight: 1, outWidth: 1, outChannels: 1 },
  ...{ filterHeight: 2, filterWidth: 2, strideHeight: 1, strideWidth: 1 },
  ...{ padTop: 0, padLeft: 0, dilationHeight: 1, dilationWidth: 1, ...g },
});

function pool(g: Partial<Conv2DGeometry>, op: PoolOp = 'average') {
  const whole = geometry(g);
  return { op, geometry: whole, x: new Float32Array(whole.inHeight * whole.inWidth).fill(1) };
}

function poolGradient(g: Partial<Conv2DGeometry>) {
  const options = pool(g);
  const { outHeight, outWidth } = options.geometry;
  return { ...options, dy: new Float32Array(outHeight * outWidth).fill(1) };
}

const copy = { x: new Float32Array(6), out: new Float32Array(6), shape: [2, 3], xStrides: [3, 1], outStrides: [3, 1] };
const operands = { a: new Float32Array(6), b: new Float32Array(1), shape: [1, 1, 2, 3], bStrides: [0, 0, 0, 0] };
const sum = { ...operands, op: 'add' as const, aStrides: [0, 0, 3, 1] };
const line = normalMatrix(1, 2);
const step = { origin: line, current: line, gradient: line, norm: 'linf', epsilon: 1, stepSize: 1 } as const;
const outside = (axis: string, window: number) =>
  `Expected geometry to have every window reach into the image but window ${window} of its ${axis} lies outside.`;

/** name, what is called, the sentence it ends in. */
const CASES: [string, () => unknown, string][] = [
  [
    'a hole in a shape',
    () => stridedCopy({ ...copy, shape: holed([undefined, 3]) }),
    'Expected 1 to 6 integers >= 1 for shape but received [undefined, 3].',
  ],
  [
    'a hole in strides',
    () => stridedCopy({ ...copy, xStrides: holed([3, undefined]) }),
    'Expected 2 integers for xStrides but received [3, undefined].',
  ],
  [
    'an undefined stride',
    () => stridedCopy({ ...copy, outStrides: wrong([undefined, 1]) }),
    'Expected 2 integers for outStrides but received [undefined, 1].',
  ],
  [
    'a fractional stride',
    () => stridedCopy({ ...copy, outStrides: [2.5, 1] }),
    'Expected 2 integers for outStrides but received [2.5, 1].',
  ],
  [
    'a stride that is text',
    () => stridedCopy({ ...copy, xStrides: wrong(['3', 1]) }),
    'Expected 2 integers for xStrides but received [3, 1].',
  ],
  [
    'a hole in the shape of two operands',
    () => binary({ ...sum, shape: holed([1, 1, undefined, 3]) }),
    'Expected 4 integers >= 1 for shape but received [1, 1, undefined, 3].',
  ],
  [
    'a hole in the strides of an operand',
    () => binary({ ...sum, aStrides: holed([undefined, 0, 3, 1]) }),
    'Expected 4 integers >= 0 for aStrides but received [undefined, 0, 3, 1].',
  ],
  [
    'a hole in the strides of what is compared',
    () => compareValues({ ...sum, op: 'less', bStrides: holed([0, undefined, 0, 0]) }),
    'Expected 4 integers >= 0 for bStrides but received [0, undefined, 0, 0].',
  ],
  [
    'a hole in a box',
    () => attackStep({ ...step, box: wrong(holed([undefined, 1])) }),
    'Expected [low, high] with low <= high for box but received an array of length 2.',
  ],
  [
    'a box that float32 does not hold',
    () => attackStep({ ...step, box: [0, 1e300] }),
    'Expected [low, high] with low <= high for box but received [0, 1e+300].',
  ],
  ['a window above the image', () => pool2d(pool({ padTop: 2 })), outside('height', 0)],
  ['a window right of the image', () => pool2d(pool({ outWidth: 3 })), outside('width', 2)],
  ['a window below the image, max', () => pool2d(pool({ padTop: -2 }, 'max')), outside('height', 0)],
  [
    'a window that steps over the image',
    () => pool2d(pool({ inWidth: 1, padLeft: 1, dilationWidth: 2 })),
    outside('width', 0),
  ],
  ['a window far to the left, gradient', () => pool2dGradient(poolGradient({ padLeft: 7 })), outside('width', 0)],
];

for (const [name, call, sentence] of CASES) {
  test(`${name} gives one sentence`, async () => {
    await expect((async () => call())()).rejects.toMatchObject({
      name: 'EatDmlError',
      code: 'ERR_ARGUMENT',
      message: sentence,
    });
  });
}

const one = new Float32Array(1);
const four = new Float32Array(4);
const many = 2 ** 45;
const repeated = { a: one, b: one, shape: [1, 1, 1, many], aStrides: [0, 0, 0, 0], bStrides: [0, 0, 0, 0] };
const tall = { data: new Float32Array(2 ** 17), rows: 2 ** 17, cols: 1 };

/** Results that no array holds: name, what is called, how many values it would have. */
const TOO_LARGE: [string, () => unknown, number][] = [
  [
    'matmul, repeated',
    () => matmul({ a: one, b: one, m: 1, n: 1, k: 1, batch: many, broadcastA: true, broadcastB: true }),
    many,
  ],
  [
    'matmul, rows times columns beyond 2^31',
    () => matmul({ a: tall.data, b: tall.data, m: 2 ** 17, n: 2 ** 17, k: 1 }),
    2 ** 34,
  ],
  ['pairwiseDistance', () => pairwiseDistance(tall, tall), 2 ** 34],
  ['nearestNeighbors', () => nearestNeighbors(tall, tall, { k: 2 ** 17 }), 2 ** 34],
  ['centroidMeans', () => centroidMeans(normalMatrix(2, 4), new Int32Array(2), { k: many }), 4 * many],
  ['oneHot', () => oneHot({ indices: new Int32Array(2), rows: 2, depth: many }), 2 * many],
  ['segmentSum', () => segmentSum({ x: one, ids: new Int32Array(1), rows: 1, segments: many }), many],
  ['binary', () => binary({ ...repeated, op: 'add' }), many],
  ['compareValues', () => compareValues({ ...repeated, op: 'less' }), many],
  [
    'conv2d',
    () => conv2d({ geometry: geometry({ outHeight: 2 ** 20, outWidth: 2 ** 20 }), input: four, filter: four }),
    2 ** 40,
  ],
  [
    'depthwiseConv2d',
    () => depthwiseConv2d({ geometry: geometry({ outHeight: 2 ** 20, outWidth: 2 ** 20 }), input: four, filter: four }),
    2 ** 40,
  ],
];

test.each(TOO_LARGE)('%s names the size of a result that is too large', async (_, call, length) => {
  await expect((async () => call())()).rejects.toMatchObject({
    name: 'EatDmlError',
    code: expect.stringMatching(/^ERR_(ARGUMENT|DEVICE)$/),
    message: expect.stringContaining(`${length} values`),
  });
});

describe.each(testDevices.filter((device) => device !== 'cuda'))('%s', (device) => {
  test('padding that leaves every window a place in the image is fine', () => {
    const options = poolGradient({ inHeight: 3, inWidth: 3, outHeight: 4, outWidth: 4, padTop: 1, padLeft: 1 });
    const { dy: _, ...forward } = options;
    expect([...pool2d({ ...forward, device })]).toEqual(new Array(16).fill(1));
    expect(pool2dGradient({ ...options, device })[4]).toBe(1);
  });

  test('a window of more places than a call may have arguments has its maximum', () => {
    const side = 400;
    const x = Float32Array.from({ length: side * side }, (_, i) => i % 1009);
    const g = geometry({ inHeight: side, inWidth: side, filterHeight: side, filterWidth: side });
    expect([...pool2d({ op: 'max', geometry: g, x, device })]).toEqual([1008]);
  });

  test('a convolution sees zeros where its window lies outside the image', () => {
    const g = geometry({ outHeight: 3, padTop: 5, strideHeight: 3 });
    const [input, filter] = [Float32Array.of(1, 2, 3, 4), new Float32Array(4).fill(1)];
    expect([...conv2d({ geometry: g, input, filter, bias: Float32Array.of(7), device })]).toEqual([7, 7, 14]);
  });
});

describeNative('a window of more than 2^24 places', () => {
  test('gives its gradient to the maximum at its end', () => {
    const side = 4097;
    const x = new Float32Array(side * side);
    x[x.length - 1] = 1;
    const g = geometry({ inHeight: side, inWidth: side, filterHeight: side, filterWidth: side });
    const dx = pool2dGradient({ op: 'max', geometry: g, x, dy: Float32Array.of(3), device: 'cpu' });
    expect([dx[x.length - 2], dx[x.length - 1]]).toEqual([0, 3]);
  });
});
