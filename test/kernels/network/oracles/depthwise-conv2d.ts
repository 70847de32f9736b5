import { activationOf } from '../../../../src/kernels/network/arguments/activation.js';
import type {
  DepthwiseArgs,
  DepthwiseBackpropFilterArgs,
  DepthwiseBackpropInputArgs,
} from '../../../../src/kernels/network/depthwise-conv2d.js';
import { products } from './conv2d.js';

/** out[pixel,c] = act(bias[c] + sum over taps of input * filter) */
export function* depthwiseReference(args: DepthwiseArgs): Generator<void> {
  const { inChannels: n, input, filter, bias, activation, out } = args;
  const sums = new Float64Array(out.length);
  yield* products(args, (from, to, tap) => {
    for (let c = 0; c < n; c++) sums[to * n + c] += input[from * n + c] * filter[tap * n + c];
  });
  const activate = activationOf(activation);
  out.set(sums.map((sum, i) => activate(sum + (bias ? bias[i % n] : 0))));
}

/** out[pixel,c] = sum over taps of dy * filter */
export function* depthwiseBackpropInputReference(args: DepthwiseBackpropInputArgs): Generator<void> {
  const { inChannels: n, dy, filter, out } = args;
  const sums = new Float64Array(out.length);
  yield* products(args, (from, to, tap) => {
    for (let c = 0; c < n; c++) sums[from * n + c] += dy[to * n + c] * filter[tap * n + c];
  });
  out.set(sums);
}

/** out[tap,c] = sum over pixels of input * dy */
export function* depthwiseBackpropFilterReference(args: DepthwiseBackpropFilterArgs): Generator<void> {
  const { inChannels: n, input, dy, out } = args;
  const sums = new Float64Array(out.length);
  yield* products(args, (from, to, tap) => {
    for (let c = 0; c < n; c++) sums[tap * n + c] += input[from * n + c] * dy[to * n + c];
  });
  out.set(sums);
}
