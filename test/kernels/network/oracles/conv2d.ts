import { activationOf } from '../../../../src/kernels/network/arguments/activation.js';
import type {
  Conv2DArgs,
  Conv2DBackpropFilterArgs,
  Conv2DBackpropInputArgs,
  Conv2DGeometry,
} from '../../../../src/kernels/network/conv2d.js';

/** Calls visit(input pixel, output pixel, filter tap) for every product of the convolution; indices without channels. */
export function* products(
  g: Conv2DGeometry,
  visit: (input: number, output: number, tap: number) => void,
): Generator<void> {
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      for (let ox = 0; ox < g.outWidth; ox++) {
        for (let tap = 0; tap < g.filterHeight * g.filterWidth; tap++) {
          const y = oy * g.strideHeight - g.padTop + Math.floor(tap / g.filterWidth) * g.dilationHeight;
          const x = ox * g.strideWidth - g.padLeft + (tap % g.filterWidth) * g.dilationWidth;
          if (y < 0 || y >= g.inHeight || x < 0 || x >= g.inWidth) continue;
          visit((n * g.inHeight + y) * g.inWidth + x, (n * g.outHeight + oy) * g.outWidth + ox, tap);
        }
      }
      yield;
    }
  }
}

/** out[pixel,o] = activation(bias[o] + sum over taps and channels of input * filter) */
export function* conv2dReference(args: Conv2DArgs): Generator<void> {
  const { inChannels: ci, outChannels: co, input, filter, bias, out } = args;
  const sums = Float64Array.from({ length: out.length }, (_, i) => (bias ? bias[i % co] : 0));
  yield* products(args, (from, to, tap) => {
    for (let c = 0; c < ci; c++) {
      for (let o = 0; o < co; o++) sums[to * co + o] += input[from * ci + c] * filter[(tap * ci + c) * co + o];
    }
  });
  out.set(sums.map(activationOf(args.activation)));
}

/** out[pixel,c] = sum over taps and output channels of dy * filter */
export function* conv2dBackpropInputReference(args: Conv2DBackpropInputArgs): Generator<void> {
  const { inChannels: ci, outChannels: co, dy, filter, out } = args;
  const sums = new Float64Array(out.length);
  yield* products(args, (from, to, tap) => {
    for (let c = 0; c < ci; c++) {
      for (let o = 0; o < co; o++) sums[from * ci + c] += dy[to * co + o] * filter[(tap * ci + c) * co + o];
    }
  });
  out.set(sums);
}

/** out[tap,c,o] = sum over pixels of input * dy */
export function* conv2dBackpropFilterReference(args: Conv2DBackpropFilterArgs): Generator<void> {
  const { inChannels: ci, outChannels: co, input, dy, out } = args;
  const sums = new Float64Array(out.length);
  yield* products(args, (from, to, tap) => {
    for (let c = 0; c < ci; c++) {
      for (let o = 0; o < co; o++) sums[(tap * ci + c) * co + o] += input[from * ci + c] * dy[to * co + o];
    }
  });
  out.set(sums);
}
