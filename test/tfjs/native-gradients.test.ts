import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { ACTIVATIONS } from '../../src/kernels/network/arguments/activation.js';
import { chooseBackend, unitRows } from '../../src/tfjs/index.js';
import {
  type AdamWOptions,
  adamW,
  batchMoments,
  batchNormGradient,
  type Conv2DGeometry,
  conv2dBackpropFilter,
  conv2dBackpropInput,
  convReluStack,
  convReluStackBackpropInput,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
  matmul,
  pool2dGradient,
  segmentSum,
} from '../kernels/network/by-device.js';
import { batchMomentsReference, batchNormReference } from '../kernels/network/oracles/batch-norm.js';
import { conv2dReference } from '../kernels/network/oracles/conv2d.js';
import { depthwiseReference } from '../kernels/network/oracles/depthwise-conv2d.js';
import { gatherReference } from '../kernels/network/oracles/gather.js';
import { pool2dReference } from '../kernels/network/oracles/pool2d.js';
import { selectReference } from '../kernels/network/oracles/select.js';
import { softmaxReference } from '../kernels/network/oracles/softmax.js';
import { describeNative } from './backends.js';
import { noise } from './close.js';

/** The references compute in double; given double arrays they also read and store it. */
const double = (x: ArrayLike<number>) => Float64Array.from(x) as unknown as Float32Array;
const zeros = (length: number) => new Float64Array(length) as unknown as Float32Array;
const finish = (steps: Generator<void>) => {
  for (const _ of steps);
};

const STEP = 1e-5;

/** Central differences of Σ upstream · forward(x) by every element of x, in double. */
function differences(x: Float32Array, upstream: Float32Array, forward: (x: Float32Array) => Float32Array): number[] {
  const at = double(x);
  const value = () => forward(at).reduce((sum, y, i) => sum + y * upstream[i], 0);
  return Array.from(x, (centre, i) => {
    at[i] = centre + STEP;
    const above = value();
    at[i] = centre - STEP;
    const below = value();
    at[i] = centre;
    return (above - below) / (2 * STEP);
  });
}

function expectGradient(received: Float32Array, expected: number[]): void {
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - received[i]) / scale));
  expect(received.length).toBe(expected.length);
  expect(worst).toBeLessThanOrEqual(2e-5);
}

function geometry(side: number, channels: number, filters: number, stride: number, window = 3): Conv2DGeometry {
  const out = Math.ceil(side / stride);
  const pad = Math.max(0, (out - 1) * stride + window - side) >> 1;
  return {
    ...{ batch: 2, inHeight: side, inWidth: side, inChannels: channels },
    ...{ outHeight: out, outWidth: out, outChannels: filters },
    ...{ filterHeight: window, filterWidth: window, strideHeight: stride, strideWidth: stride },
    ...{ padTop: pad, padLeft: pad, dilationHeight: 1, dilationWidth: 1 },
  };
}

describeNative('gradients of the addon against central differences of the double-precision reference', () => {
  const LAYERS: [number, number, number, number][] = [
    [5, 1, 3, 1],
    [5, 3, 18, 2],
    [4, 9, 17, 1],
    [6, 16, 5, 2],
  ];

  test.each(LAYERS)('conv2d %i x %i -> %i, stride %i', (side, channels, filters, stride) => {
    const g = geometry(side, channels, filters, stride);
    const input = noise([2, side, side, channels], 'input');
    const filter = noise([3, 3, channels, filters], 'filter');
    const dy = noise([2, g.outHeight, g.outWidth, filters], 'dy');
    const forward = (x: Float32Array, w: Float32Array) => {
      const out = zeros(dy.length);
      finish(conv2dReference({ ...g, input: x, filter: w, activation: 0, out }));
      return out;
    };
    const byInput = differences(input, dy, (x) => forward(x, filter));
    expectGradient(conv2dBackpropInput({ geometry: g, dy, filter }), byInput);
    const byFilter = differences(filter, dy, (w) => forward(input, w));
    expectGradient(conv2dBackpropFilter({ geometry: g, input, dy }), byFilter);
  });

  test('a stack of convolutions with relu', () => {
    const layers = [geometry(5, 3, 18, 1), geometry(5, 18, 4, 2)].map((g, i) => ({
      geometry: g,
      filter: noise([3, 3, g.inChannels, g.outChannels], `filter ${i}`),
      bias: noise([g.outChannels], `bias ${i}`),
    }));
    const [input, dy] = [noise([2, 5, 5, 3], 'input'), noise([2, 3, 3, 4], 'dy')];
    const forward = (x: Float32Array) =>
      layers.reduce((y, { geometry: g, filter, bias }) => {
        const out = zeros(g.batch * g.outHeight * g.outWidth * g.outChannels);
        finish(conv2dReference({ ...g, input: y, filter, bias, activation: ACTIVATIONS.indexOf('relu'), out }));
        return out;
      }, x);
    const { passed } = convReluStack({ layers, input });
    expectGradient(convReluStackBackpropInput({ layers, dy, passed }).out, differences(input, dy, forward));
  });

  test.each([
    [5, 3, 1],
    [6, 17, 2],
  ])('depthwise %i x %i, stride %i', (side, channels, stride) => {
    const g = geometry(side, channels, channels, stride);
    const input = noise([2, side, side, channels], 'input');
    const filter = noise([3, 3, channels], 'filter');
    const dy = noise([2, g.outHeight, g.outWidth, channels], 'dy');
    const forward = (x: Float32Array, w: Float32Array) => {
      const out = zeros(dy.length);
      finish(depthwiseReference({ ...g, input: x, filter: w, activation: ACTIVATIONS.indexOf('none'), out }));
      return out;
    };
    const byInput = differences(input, dy, (x) => forward(x, filter));
    expectGradient(depthwiseConv2dBackpropInput({ geometry: g, dy, filter }), byInput);
    const byFilter = differences(filter, dy, (w) => forward(input, w));
    expectGradient(depthwiseConv2dBackpropFilter({ geometry: g, input, dy }), byFilter);
  });

  test.each(['average', 'max'] as const)('%s pooling', (op) => {
    // tfjs divides by the whole window at the edge too, so that average is checked where no window leaves the image.
    const g = { ...geometry(6, 5, 5, 2, 2), padTop: 0, padLeft: 0 };
    const x = noise([2, 6, 6, 5], 'pool');
    const dy = noise([2, 3, 3, 5], 'dy');
    const byInput = differences(x, dy, (at) => {
      const out = zeros(dy.length);
      finish(pool2dReference({ ...g, op: op === 'average' ? 0 : 1, x: at, out }));
      return out;
    });
    expectGradient(pool2dGradient({ op, geometry: g, x, dy }), byInput);
  });

  test.each(['none', 'relu'] as const)('batch normalisation by its own statistics, activation %s', (activation) => {
    const [rows, channels] = [12, 19];
    const size = { rows, channels };
    const [x, dy] = [noise([rows, channels], 'x'), noise([rows, channels], 'dy')];
    const [scale, offset] = [noise([channels], 'scale'), noise([channels], 'offset')];
    const epsilon = 1e-2;
    const forward = (at: Float32Array, s: Float32Array, o: Float32Array) => {
      const [mean, variance, out] = [zeros(channels), zeros(channels), zeros(x.length)];
      finish(batchMomentsReference({ x: at, ...size, mean, variance }));
      const inputs = { x: at, ...size, mean, variance, scale: s, offset: o, epsilon };
      finish(batchNormReference({ ...inputs, activation: activation === 'relu' ? 1 : 0, out }));
      return out;
    };
    const statistics = batchMoments({ x, ...size });
    const received = batchNormGradient({ x, dy, ...size, ...statistics, scale, offset, epsilon, activation });
    expectGradient(
      received.dx,
      differences(x, dy, (at) => forward(at, scale, offset)),
    );
    expectGradient(
      received.dScale,
      differences(scale, dy, (s) => forward(x, s, offset)),
    );
    expectGradient(
      received.dOffset,
      differences(offset, dy, (o) => forward(x, scale, o)),
    );
  });

  test('matrix products, whose gradients are products', () => {
    const [m, k, n] = [5, 7, 19];
    const [a, b, dy] = [noise([m, k], 'a'), noise([k, n], 'b'), noise([m, n], 'dy')];
    const forward = (left: Float32Array, right: Float32Array) => {
      const out = zeros(m * n);
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) for (let t = 0; t < k; t++) out[i * n + j] += left[i * k + t] * right[t * n + j];
      return out;
    };
    const byA = matmul({ a: dy, b, m, n: k, k: n, transposeB: true });
    expectGradient(
      byA,
      differences(a, dy, (at) => forward(at, b)),
    );
    const byB = matmul({ a, b: dy, m: k, n, k: m, transposeA: true });
    expectGradient(
      byB,
      differences(b, dy, (at) => forward(a, at)),
    );
  });

  test('gather, whose gradient is a segment sum', () => {
    const [size, inner, indices] = [6, 19, Int32Array.of(3, 0, 3, 5, 3, 1, 0)];
    const sizes = { batch: 1, outer: 1, size, inner, count: indices.length };
    const [x, dy] = [noise([size, inner], 'x'), noise([indices.length, inner], 'dy')];
    const byX = differences(x, dy, (at) => {
      const out = zeros(dy.length);
      finish(gatherReference({ x: at, indices, ...sizes, out }));
      return out;
    });
    expectGradient(segmentSum({ x: dy, ids: indices, rows: indices.length, inner, segments: size }), byX);
  });

  /** tfjs's gradient of Σ dy · op(x) on native, by x. */
  async function byBackend(op: (x: tf.Tensor) => tf.Tensor, x: Float32Array, dy: Float32Array, shape: number[]) {
    await chooseBackend({ backend: 'native' });
    const loss = (at: tf.Tensor) => tf.sum(tf.mul(op(at), tf.tensor(dy, shape)));
    return tf.tidy(() => tf.grad(loss)(tf.tensor(x, shape)).dataSync()) as Float32Array;
  }

  test('softmax', async () => {
    const [rows, cols] = [5, 19];
    const [x, dy] = [noise([rows, cols], 'x'), noise([rows, cols], 'dy')];
    const byX = differences(x, dy, (at) => {
      const out = zeros(x.length);
      finish(softmaxReference({ x: double(at), rows, cols, out }));
      return out;
    });
    expectGradient(await byBackend((at) => tf.softmax(at), x, dy, [rows, cols]), byX);
  });

  test('rows of unit length', async () => {
    const [rows, cols] = [5, 19];
    const [x, dy] = [noise([rows, cols], 'x'), noise([rows, cols], 'dy')];
    const byX = differences(x, dy, (at) => {
      const row = (i: number) => at.subarray(i - (i % cols), i - (i % cols) + cols);
      return at.map((value, i) => value / Math.hypot(...row(i)));
    });
    expectGradient(await byBackend((at) => unitRows(at as tf.Tensor2D), x, dy, [rows, cols]), byX);
  });

  test('select', async () => {
    const [x, e, dy] = [noise([40], 'x'), noise([40], 'e'), noise([40], 'dy')];
    const condition = Uint8Array.from(noise([40], 'condition'), (v) => (v > 0 ? 1 : 0));
    const byX = differences(x, dy, (at) => {
      const out = zeros(x.length);
      finish(selectReference({ condition, t: at, e: double(e), rows: 40, inner: 1, out }));
      return out;
    });
    const choose = (at: tf.Tensor) => tf.where(tf.tensor1d([...condition], 'bool'), at, tf.tensor1d(e));
    expectGradient(await byBackend(choose, x, dy, [40]), byX);
  });

  test('a step of AdamW by hand', () => {
    const one = (value: number) => Float32Array.of(value);
    const settings: Omit<AdamWOptions, 'weights' | 'gradient' | 'first' | 'second'> = {
      ...{ beta1: 0.9, beta2: 0.99, kept: 0.5, rate: 2, floor: 0.25 },
    };
    const step = adamW({ weights: one(4), gradient: one(3), first: one(1), second: one(2), ...settings });
    expect(step.first[0]).toBeCloseTo(1.2, 6);
    expect(step.second[0]).toBeCloseTo(2.07, 6);
    expect(step.weights[0]).toBeCloseTo(2 - 2.4 / (Math.sqrt(2.07) + 0.25), 5);
  });
});
