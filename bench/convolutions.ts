/**
 * ResNet-50's 3x3 convolutions of stride 1, forward and both gradients: `npx tsx bench/convolutions.ts [batch] [repeats]`. Least time of
 * the repeats in ms, and GFLOP/s of the direct product (EAT_DML_WINOGRAD=off: what that takes). PyTorch's side, to run by turns with
 * it: `python bench/peers/convolutions.py`.
 */
import * as network from '../src/kernels/network/index.js';
import { values } from './row.js';

/** Side of the maps, channels in and out. */
const SHAPES = [
  [56, 64],
  [28, 128],
  [14, 256],
  [7, 512],
];

const [batch, repeats] = [process.argv[2] ?? '8', process.argv[3] ?? '30'].map(Number);
const total = { forward: 0, input: 0, filter: 0 };
for (const [side, channels] of SHAPES) {
  const geometry = {
    ...{ batch, inHeight: side, inWidth: side, inChannels: channels, outHeight: side, outWidth: side },
    ...{ outChannels: channels, filterHeight: 3, filterWidth: 3, strideHeight: 1, strideWidth: 1 },
    ...{ dilationHeight: 1, dilationWidth: 1, padTop: 1, padLeft: 1 },
  };
  const size = batch * side * side * channels;
  const [input, dy, filter, out] = [values(size, -1), values(size, -1), values(9 * channels ** 2, -1), values(size)];
  const gradient = values(filter.length);
  const passes = {
    forward: () => network.conv2d({ geometry, input, filter, out }),
    input: () => network.conv2dBackpropInput({ geometry, dy, filter, out }),
    filter: () => network.conv2dBackpropFilter({ geometry, input, dy, out: gradient }),
  };
  const flops = 2 * 9 * size * channels;
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
  console.log(`${batch} x ${side}x${side}x${channels}: ${figures.join(', ')}`);
}
console.log(
  `all: ${Object.entries(total)
    .map(([pass, ms]) => `${pass} ${ms.toFixed(2)} ms`)
    .join(', ')}`,
);
