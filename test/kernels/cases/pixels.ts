import { randomStream } from '../../../src/random.js';
import { pixelValues, type ResampledSide, resample } from '../network/by-device.js';
import type { ParityCase } from './types.js';

const { uniform } = randomStream(1, 'pixels');
const drawn = (below: number) => Math.floor(uniform() * below);

/** Places anywhere, of weights that add up to 2^22, which rounding may leave a little beside. */
function side(size: number, count: number, most: number): ResampledSide {
  const step = 2 + most;
  const places = new Int32Array(count * step);
  for (let at = 0; at < places.length; at += step) {
    const taps = 1 + drawn(Math.min(most, size));
    const shares = Array.from({ length: taps }, () => uniform() + 1e-3);
    const sum = shares.reduce((a, b) => a + b);
    places.set([drawn(size - taps + 1), taps, ...shares.map((share) => Math.round((share / sum) * 2 ** 22))], at);
  }
  return { count, step, places };
}

/** [height, width, channels] to [rows, columns] of at most so many pixels each. */
const SHAPES: [number[], number[], number][] = [
  [[1, 1, 3], [1, 1], 1],
  [[1, 1, 4], [3, 5], 1],
  [[2, 3, 3], [7, 1], 2],
  [[9, 7, 3], [18, 24], 3],
  [[37, 29, 4], [16, 11], 5],
  [[60, 130, 3], [33, 43], 7],
  [[21, 300, 3], [5, 129], 40],
];

const resampleCase = (
  name: string,
  shape: number[],
  [rows, columns]: number[],
  most: number,
  pixel: () => number,
): ParityCase => {
  const [height, width, channels] = shape;
  const pixels = Uint8Array.from({ length: height * width * channels }, pixel);
  const options = {
    pixels,
    height,
    width,
    channels,
    across: side(width, columns, most),
    down: side(height, rows, most),
  };
  return {
    kernel: 'resample',
    name: `${shape.join(' x ')} to ${rows} x ${columns}, ${name}`,
    run: async (device) => ({ values: resample({ ...options, device }) }),
    tolerance: {},
  };
};

const valuesCase = (size: number): ParityCase => {
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7) % 256);
  return {
    kernel: 'pixelValues',
    name: `${size} bytes`,
    run: async (device) => ({ values: pixelValues({ bytes, device }) }),
    tolerance: {},
  };
};

const resampleCases = SHAPES.flatMap(([shape, to, most]) => [
  resampleCase('any bytes', shape, to, most, () => drawn(256)),
  resampleCase('white', shape, to, most, () => 255),
]);

/** Images on their way into a network. */
export const pixelCases = [...resampleCases, ...[0, 1, 256, 1027, 70_000].map(valuesCase)];
