/**
 * ResNet-50's convolutions, forward and both gradients: `npx tsx bench/convolutions.ts [3x3|1x1|first] [batch] [repeats]`. Least time of
 * the repeats in ms, and GFLOP/s of the direct product (EAT_DML_WINOGRAD=off: what that takes). PyTorch's side, to run by turns with
 * it: `python bench/peers/convolutions.py`, with the same arguments. Results go into arrays that are used again, as the backend does it;
 * PyTorch has its own allocator's.
 */
import * as network from '../src/kernels/network/index.js';
import { values } from './row.js';

/** Side of the maps, channels in and out, side of the filter, stride. */
const SHAPES: Record<string, number[][]> = {
  '3x3': [
    [56, 64, 64, 3, 1],
    [28, 128, 128, 3, 1],
    [14, 256, 256, 3, 1],
    [7, 512, 512, 3, 1],
  ],
  '1x1': [
    [56, 64, 64, 1, 1],
    [56, 64, 256, 1, 1],
    [56, 256, 64, 1, 1],
    [28, 128, 512, 1, 1],
    [28, 512, 128, 1, 1],
    [14, 256, 1024, 1, 1],
    [14, 1024, 256, 1, 1],
    [7, 512, 2048, 1, 1],
    [7, 2048, 512, 1, 1],
  ],
  first: [[224, 3, 64, 7, 2]],
};

const [kind = '3x3', ...counts] = process.argv.slice(2);
const [batch = 8, repeats = 30] = counts.map(Number);
const total = { forward: 0, input: 0, filter: 0 };
for (const [side, channels, columns, taps, stride] of SHAPES[kind]) {
  const [outSide, pad] = [side / stride, (taps - 1) / 2];
  const geometry = {
    ...{ batch, inHeight: side, inWidth: side, inChannels: channels, outHeight: outSide, outWidth: outSide },
    ...{ outChannels: columns, filterHeight: taps, filterWidth: taps, strideHeight: stride, strideWidth: stride },
    ...{ dilationHeight: 1, dilationWidth: 1, padTop: pad, padLeft: pad },
  };
  const [inSize, outSize] = [batch * side ** 2 * channels, batch * outSide ** 2 * columns];
  const [input, dy, filter] = [inSize, outSize, taps ** 2 * channels * columns].map((size) => values(size, -1));
  const [out, dx, gradient] = [outSize, inSize, filter.length].map((size) => values(size));
  const passes = {
    forward: () => network.conv2d({ geometry, input, filter, out }),
    input: () => network.conv2dBackpropInput({ geometry, dy, filter, out: dx }),
    filter: () => network.conv2dBackpropFilter({ geometry, input, dy, out: gradient }),
  };
  const flops = 2 * outSize * taps ** 2 * channels;
  const figures = Object.entries(passes).map(([pass, run]) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repeats; i++) {
      const start = performance.now();
      run();
      least = Math.min(least, performance.now() - start);
    }
    total[pass as keyof typeof total] += least;
    return `${pass} ${least.toFixed(2)} ms ${(flops / least / 1e6).toFixed(0)} GFLOP/s`;
  });
  console.log(`${batch} x ${side}x${side}x${channels} to ${columns}, ${taps}x${taps}/${stride}: ${figures.join(', ')}`);
}
console.log(
  `all: ${Object.entries(total)
    .map(([pass, ms]) => `${pass} ${ms.toFixed(2)} ms`)
    .join(', ')}`,
);
