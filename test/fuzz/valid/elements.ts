import {
  ARG_REDUCE_OPS,
  BINARY_OPS,
  COMPARE_OPS,
  LOGICAL_OPS,
  REDUCE_OPS,
  UNARY_OPS,
} from '../../kernels/network/by-device.js';
import type { Draw } from '../draw.js';
import { type Arguments, some } from './matrices.js';

const outOf = (draw: Draw, length: number) => draw.maybe(0.4, () => ({ out: new Float32Array(length) }));

const unary: Arguments = (draw) => {
  const x = draw.floats(draw.between(0, 40));
  const bounds = { ...draw.maybe(0.5, () => ({ alpha: -1 })), ...draw.maybe(0.5, () => ({ beta: 1 })) };
  const out = draw.maybe(0.4, () => ({ out: draw.chance(0.5) ? x : new Float32Array(x.length) }));
  return [{ op: draw.pick(UNARY_OPS), x, ...bounds, ...out }];
};

/** A shape of 4 axes, and two operands that are repeated along some of them. */
function broadcast(draw: Draw) {
  const shape = Array.from({ length: 4 }, () => draw.between(1, 4));
  const operand = () => {
    const strides = [0, 0, 0, 0];
    let size = 1;
    for (let axis = 3; axis >= 0; axis--) {
      if (draw.chance(0.3)) continue;
      strides[axis] = axis === 3 || size > 1 ? size : 0;
      if (strides[axis] > 0) size *= shape[axis];
    }
    return { strides, values: draw.floats(strides.reduce((n, s, axis) => n + (shape[axis] - 1) * s, 1)) };
  };
  const [a, b] = [operand(), operand()];
  const size = shape.reduce((product, n) => product * n);
  return { size, options: { a: a.values, b: b.values, shape, aStrides: a.strides, bStrides: b.strides } };
}

const binary: Arguments = (draw) => {
  const { size, options } = broadcast(draw);
  return [{ op: draw.pick(BINARY_OPS), ...options, ...outOf(draw, size) }];
};

const compareValues: Arguments = (draw) => {
  const { size, options } = broadcast(draw);
  const out = draw.maybe(0.4, () => ({ out: new Uint8Array(size) }));
  return [{ op: draw.pick(COMPARE_OPS), ...options, ...out }];
};

const flags = (draw: Draw, length: number) => Uint8Array.from({ length }, () => draw.integer(2));

const logical: Arguments = (draw) => {
  const [op, size] = [draw.pick(LOGICAL_OPS), draw.between(0, 40)];
  const out = draw.maybe(0.4, () => ({ out: new Uint8Array(size) }));
  return [{ op, a: flags(draw, size), ...(op !== 'not' && { b: flags(draw, size) }), ...out }];
};

const select: Arguments = (draw) => {
  const [rows, inner] = [some(draw), some(draw)];
  const [t, e] = [draw.floats(rows * inner), draw.floats(rows * inner)];
  return [{ condition: flags(draw, rows), t, e, rows, inner, ...outOf(draw, rows * inner) }];
};

const gather: Arguments = (draw) => {
  const [size, count, inner] = [some(draw), some(draw), draw.between(1, 4)];
  const given = draw.maybe(0.5, () => ({ batch: draw.between(1, 3), outer: draw.between(1, 3) }));
  const { batch = 1, outer = 1 } = given;
  const x = draw.floats(batch * outer * size * inner);
  const indices = draw.integers(batch * count, size);
  return [{ x, indices, ...given, size, inner, count, ...outOf(draw, batch * outer * count * inner) }];
};

const segmentSum: Arguments = (draw) => {
  const [rows, inner, segments] = [some(draw), draw.between(1, 5), some(draw)];
  const options = { x: draw.floats(rows * inner), ids: draw.integers(rows, segments), rows, inner, segments };
  return [{ ...options, ...outOf(draw, segments * inner) }];
};

const oneHot: Arguments = (draw) => {
  const [rows, depth] = [some(draw), some(draw)];
  const values = draw.maybe(0.5, () => ({ on: 2, off: -1 }));
  return [{ indices: draw.integers(rows, depth), rows, depth, ...values, ...outOf(draw, rows * depth) }];
};

function reduction(draw: Draw) {
  const [outer, reduced, inner] = [draw.between(1, 5), some(draw), draw.between(1, 5)];
  return { x: draw.floats(outer * reduced * inner), outer, reduced, inner };
}

const argReduce: Arguments = (draw) => {
  const options = reduction(draw);
  const out = draw.maybe(0.4, () => ({ out: new Int32Array(options.outer * options.inner) }));
  return [{ op: draw.pick(ARG_REDUCE_OPS), ...options, ...out }];
};

const reduce: Arguments = (draw) => {
  const options = reduction(draw);
  return [{ op: draw.pick(REDUCE_OPS), ...options, ...outOf(draw, options.outer * options.inner) }];
};

const topK: Arguments = (draw) => {
  const [rows, cols] = [some(draw), some(draw)];
  const k = draw.between(1, cols);
  const out = () => ({ out: { values: new Float32Array(rows * k), indices: new Int32Array(rows * k) } });
  return [{ x: draw.floats(rows * cols), rows, cols, k, ...draw.maybe(0.4, out) }];
};

const softmax: Arguments = (draw) => {
  const [rows, cols] = [some(draw), some(draw)];
  const x = draw.floats(rows * cols);
  const out = draw.maybe(0.4, () => ({ out: draw.chance(0.5) ? x : new Float32Array(rows * cols) }));
  return [{ x, rows, cols, ...out }];
};

/** A block of an array of up to 6 axes into another, some axes backwards. */
const stridedCopy: Arguments = (draw) => {
  const shape = Array.from({ length: draw.between(1, 6) }, () => draw.between(1, 3));
  const place = () => {
    let size = 1;
    let offset = draw.integer(3);
    const margin = offset;
    const strides = new Array<number>(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const backwards = draw.chance(0.2);
      strides[axis] = backwards ? -size : size;
      if (backwards) offset += (shape[axis] - 1) * size;
      size *= shape[axis];
    }
    return { strides, offset, length: margin + size };
  };
  const [from, to] = [place(), place()];
  const offsets = { xOffset: from.offset, outOffset: to.offset };
  const strides = { xStrides: from.strides, outStrides: to.strides };
  return [{ x: draw.floats(from.length), shape, ...strides, ...offsets, out: draw.floats(to.length) }];
};

const adamW: Arguments = (draw) => {
  const size = draw.between(1, 40);
  const [weights, gradient, first] = [draw.floats(size), draw.floats(size), draw.floats(size)];
  const second = draw.floats(size).map(Math.abs);
  const coefficients = { beta1: 0.9, beta2: 0.99, kept: 0.999, rate: 0.01, floor: 1e-7 };
  const own = { weights, first, second };
  const fresh = () => ({
    weights: new Float32Array(size),
    first: new Float32Array(size),
    second: new Float32Array(size),
  });
  const out = draw.maybe(0.6, () => ({ out: draw.chance(0.5) ? own : fresh() }));
  return [{ ...own, gradient, ...coefficients, ...out }];
};

/** One side of the result: each place a pixel or two. */
function side(draw: Draw, size: number) {
  const [count, step] = [some(draw), 4];
  const places = new Int32Array(count * step);
  for (let at = 0; at < places.length; at += step) {
    const taps = draw.between(1, Math.min(2, size));
    places.set([draw.integer(size - taps + 1), taps, taps === 1 ? 2 ** 22 : 2 ** 21, 2 ** 21], at);
  }
  return { count, step, places };
}

const resample: Arguments = (draw) => {
  const [height, width, channels] = [some(draw), some(draw), draw.pick([3, 4])];
  const [across, down] = [side(draw, width), side(draw, height)];
  const pixels = Uint8Array.from({ length: height * width * channels }, () => draw.integer(256));
  const out = draw.maybe(0.4, () => ({ out: new Uint8Array(across.count * down.count * 3) }));
  return [{ pixels, height, width, channels, across, down, ...out }];
};

const pixelValues: Arguments = (draw) => {
  const size = some(draw) * some(draw);
  return [{ bytes: Uint8Array.from({ length: size }, () => draw.integer(256)), ...outOf(draw, size) }];
};

export const elements = {
  ...{ unary, binary, compareValues, logical, select, gather, segmentSum, oneHot, argReduce, reduce },
  ...{ topK, softmax, stridedCopy, adamW, resample, pixelValues },
};
