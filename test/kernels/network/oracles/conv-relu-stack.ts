import { ACTIVATIONS } from '../../../../src/kernels/network/arguments/activation.js';
import {
  type ConvReluStackArgs,
  type ConvReluStackBackpropInputArgs,
  passedSize,
} from '../../../../src/kernels/network/conv-relu-stack.js';
import type { Conv2DGeometry } from '../../../../src/kernels/network/conv2d.js';
import { conv2dBackpropInputReference, conv2dReference } from './conv2d.js';

const outputLength = (g: Conv2DGeometry) => g.batch * g.outHeight * g.outWidth * g.outChannels;
const inputLength = (g: Conv2DGeometry) => g.batch * g.inHeight * g.inWidth * g.inChannels;

/** The word and the bit of element `i` of a layer's output. */
function bitOf(i: number, { outChannels }: Conv2DGeometry): [number, number] {
  const channel = i % outChannels;
  return [Math.floor(i / outChannels) * Math.ceil(outChannels / 32) + (channel >> 5), 1 << (channel & 31)];
}

/** x = relu(conv2d(x, filter) + bias), layer after layer; the bits of `passed` say where x is positive. */
export function* convReluStackReference({ layers, input, sum, out, passed }: ConvReluStackArgs): Generator<void> {
  passed.fill(0);
  let [x, offset] = [input, 0];
  for (const [l, layer] of layers.entries()) {
    const last = l === layers.length - 1;
    const y = last ? out : new Float32Array(outputLength(layer));
    const activation = last && sum ? 'none' : 'relu';
    yield* conv2dReference({ ...layer, input: x, activation: ACTIVATIONS.indexOf(activation), out: y });
    y.forEach((value, i) => {
      if (last && sum) {
        value += sum[i];
        y[i] = value <= 0 ? 0 : value;
      }
      const [word, bit] = bitOf(i, layer);
      if (value > 0) passed[offset + word] |= bit;
    });
    offset += passedSize(layer);
    x = y;
  }
}

/** d = the gradient of conv2d by its input, last layer first, of what relu let pass of d. */
export function* convReluStackBackpropInputReference(args: ConvReluStackBackpropInputArgs): Generator<void> {
  const { layers, passed, residual, out, masked } = args;
  let [d, offset, top] = [args.dy, passed.length, args.dy];
  for (const [l, layer] of [...layers.entries()].reverse()) {
    offset -= passedSize(layer);
    const dy = d.map((value, i) => {
      const [word, bit] = bitOf(i, layer);
      return passed[offset + word] & bit ? value : 0;
    });
    if (l === layers.length - 1) {
      top = dy;
      masked?.set(dy);
    }
    const dx = l === 0 ? out : new Float32Array(inputLength(layer));
    yield* conv2dBackpropInputReference({ ...layer, dy, out: dx });
    d = dx;
  }
  if (residual) {
    top.forEach((value, i) => {
      out[i] += value;
    });
  }
}
