import * as network from '../test/kernels/network/by-device.js';
import { pair, values } from './row.js';

/** Images, and their side; the layers are the demo's network: 3x3, strides 1, 2, 2. */
type Images = [batch: number, side: number];

const SIZES: [Images, Images] = [
  [2, 8],
  [64, 28],
];

function stack([batch, size]: Images) {
  let [side, inChannels, flops] = [size, 1, 0];
  const layers = [32, 64, 128].map((outChannels, i) => {
    const stride = i === 0 ? 1 : 2;
    const out = Math.ceil(side / stride);
    const pad = Math.max(0, (out - 1) * stride + 3 - side) >> 1;
    const geometry = {
      ...{ batch, inHeight: side, inWidth: side, inChannels, outHeight: out, outWidth: out, outChannels },
      ...{ filterHeight: 3, filterWidth: 3, strideHeight: stride, strideWidth: stride },
      ...{ dilationHeight: 1, dilationWidth: 1, padTop: pad, padLeft: pad },
    };
    flops += 2 * 9 * batch * out * out * inChannels * outChannels;
    const filter = values(9 * inChannels * outChannels);
    [side, inChannels] = [out, outChannels];
    return { geometry, filter, bias: values(outChannels) };
  });
  const [input, dy] = [values(batch * size * size), values(batch * side * side * inChannels)];
  return { layers, input, dy, flops, shape: `${batch} x ${size}x${size}x1 to ${inChannels}, 3 layers` };
}

export const stackRows = [
  ...pair('convReluStack', SIZES, (sizes) => {
    const { layers, input, flops, shape } = stack(sizes);
    return { shape, flops, run: (device) => network.convReluStack({ layers, input, device }) };
  }),
  ...pair('convReluStackBackpropInput', SIZES, (sizes) => {
    const { layers, input, dy, flops, shape } = stack(sizes);
    const { passed } = network.convReluStack({ layers, input });
    return { shape, flops, run: (device) => network.convReluStackBackpropInput({ layers, dy, passed, device }) };
  }),
];
