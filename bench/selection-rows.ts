import { sidesOf } from '../src/data/decoding/resize.js';
import * as network from '../test/kernels/network/by-device.js';
import { pair, values } from './row.js';

const LENGTHS: [number, number] = [1000, 2_000_000];
/** Rows of 32 values, as of a feature map. */
const ROWS: [number, number] = [64, 50_176];
const INNER = 32;

const flags = (length: number) => Uint8Array.from(values(length), (v) => (v > 0 ? 1 : 0));
/** Every place below `size`, scattered. */
const places = (length: number, size: number) => Int32Array.from({ length }, (_, i) => (i * 7919) % size);

/** A square image to a smaller one, both sides alike, as photographs are made smaller. */
function squares(from: number, to: number) {
  const size = { width: from, height: from };
  return { ...size, ...sidesOf(size, { resized: { width: to, height: to }, flip: false }) };
}

/** What compares, chooses and picks. */
export const selectionRows = [
  ...pair('compareValues', LENGTHS, (length) => {
    const strides = [0, 0, 0, 1];
    const operands = { a: values(length), b: values(length, 0), aStrides: strides, bStrides: strides };
    const options = { op: 'less' as const, ...operands, shape: [1, 1, 1, length], out: new Uint8Array(length) };
    return {
      shape: `less, ${length}`,
      bytes: 9 * length,
      run: (device) => network.compareValues({ ...options, device }),
    };
  }),
  ...pair('logical', LENGTHS, (length) => {
    const options = { op: 'and' as const, a: flags(length), b: flags(length), out: new Uint8Array(length) };
    return {
      shape: `and, ${length}`,
      bytes: 3 * length,
      run: (device) => network.logical({ ...options, device }),
    };
  }),
  ...pair('select', LENGTHS, (length) => {
    const operands = { condition: flags(length), t: values(length), e: values(length, 0) };
    const options = { ...operands, rows: length, out: new Float32Array(length) };
    return { shape: `${length}`, bytes: 13 * length, run: (device) => network.select({ ...options, device }) };
  }),
  ...pair('gather', ROWS, (rows) => {
    const out = new Float32Array(rows * INNER);
    const options = {
      x: values(rows * INNER),
      indices: places(rows, rows),
      size: rows,
      inner: INNER,
      count: rows,
      out,
    };
    return {
      shape: `${rows} x ${INNER}`,
      bytes: 8 * rows * INNER,
      run: (device) => network.gather({ ...options, device }),
    };
  }),
  ...pair('segmentSum', ROWS, (rows) => {
    const segments = Math.ceil(rows / 50);
    const options = { x: values(rows * INNER), ids: places(rows, segments), rows, inner: INNER, segments };
    return {
      shape: `${rows} x ${INNER} in ${segments}`,
      bytes: 4 * rows * INNER,
      run: (device) => network.segmentSum({ ...options, device }),
    };
  }),
  ...pair('oneHot', ROWS, (rows) => {
    const options = { indices: places(rows, INNER), rows, depth: INNER, out: new Float32Array(rows * INNER) };
    return {
      shape: `${rows} x ${INNER}`,
      bytes: 4 * rows * INNER,
      run: (device) => network.oneHot({ ...options, device }),
    };
  }),
  ...pair('argReduce', ROWS, (rows) => {
    const options = { op: 'max' as const, x: values(rows * INNER), outer: rows, reduced: INNER, inner: 1 };
    return {
      shape: `max of ${rows} x ${INNER}`,
      bytes: 4 * rows * INNER,
      run: (device) => network.argReduce({ ...options, device }),
    };
  }),
  ...pair<[number, number]>(
    'topK',
    [
      [8, 100],
      [256, 10_000],
    ],
    ([rows, cols]) => {
      const options = { x: values(rows * cols), rows, cols, k: 10 };
      return {
        shape: `10 of ${rows} x ${cols}`,
        bytes: 4 * rows * cols,
        run: (device) => network.topK({ ...options, device }),
      };
    },
  ),
  ...pair<[number, number]>(
    'softmax',
    [
      [32, 10],
      [4096, 100],
    ],
    ([rows, cols]) => {
      const options = { x: values(rows * cols), rows, cols, out: new Float32Array(rows * cols) };
      return { shape: `${rows} x ${cols}`, run: (device) => network.softmax({ ...options, device }) };
    },
  ),
  ...pair<[number, number]>(
    'resample',
    [
      [32, 16],
      [500, 224],
    ],
    ([from, to]) => {
      const options = { ...squares(from, to), pixels: new Uint8Array(from * from * 3).fill(100), channels: 3 };
      const shape = `${from} x ${from} to ${to} x ${to}`;
      return { shape, bytes: 3 * (from ** 2 + to ** 2), run: (device) => network.resample({ ...options, device }) };
    },
  ),
  ...pair('pixelValues', [1000, 64 * 224 * 224 * 3], (size) => {
    const options = { bytes: new Uint8Array(size).fill(100), out: new Float32Array(size) };
    return { shape: `${size}`, bytes: 5 * size, run: (device) => network.pixelValues({ ...options, device }) };
  }),
];
