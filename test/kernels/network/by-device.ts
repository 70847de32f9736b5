/**
 * The network kernels by device, for tests and benches: `js` is a kernel's oracle, `cpu` the addon. Without a device: the addon, or
 * the oracle where there is none.
 */

import { checkApart, isFresh, withInputs } from '../../../src/kernels/call-memory.js';
import { resolveDevice } from '../../../src/kernels/devices.js';
import type { DeviceName } from '../../../src/kernels/index.js';
import * as network from '../../../src/kernels/network/index.js';
import type { NetworkRun } from '../../../src/kernels/network/run-network.js';
import { viewOf } from '../../../src/kernels/typed-arrays.js';
import { ORACLES } from './oracles/index.js';

export * from '../../../src/kernels/network/index.js';

/** Runs a call's oracle in its place. */
export const runOracle: NetworkRun = (call) => {
  if (!isFresh(call)) checkApart(call);
  for (const _ of ORACLES[call.kernel](withInputs(call, viewOf).args));
  return call.result();
};

type OnDevice = { device?: DeviceName };

function byDevice<Options extends object, Result>(kernel: (options: Options, run?: NetworkRun) => Result) {
  return ({ device, ...options }: Options & OnDevice): Result => {
    const onAddon = resolveDevice(device ?? 'auto', kernel.name) !== undefined;
    return kernel(options as unknown as Options, onAddon ? undefined : runOracle);
  };
}

export const adamW = byDevice(network.adamW);
export const argReduce = byDevice(network.argReduce);
export const batchMoments = byDevice(network.batchMoments);
export const batchNorm = byDevice(network.batchNorm);
export const batchNormGradient = byDevice(network.batchNormGradient);
export const binary = byDevice(network.binary);
export const compareValues = byDevice(network.compareValues);
export const convReluStack = byDevice(network.convReluStack);
export const convReluStackBackpropInput = byDevice(network.convReluStackBackpropInput);
export const conv2d = byDevice(network.conv2d);
export const conv2dBackpropFilter = byDevice(network.conv2dBackpropFilter);
export const conv2dBackpropInput = byDevice(network.conv2dBackpropInput);
export const depthwiseConv2d = byDevice(network.depthwiseConv2d);
export const depthwiseConv2dBackpropFilter = byDevice(network.depthwiseConv2dBackpropFilter);
export const depthwiseConv2dBackpropInput = byDevice(network.depthwiseConv2dBackpropInput);
export const gather = byDevice(network.gather);
export const logical = byDevice(network.logical);
export const matmul = byDevice(network.matmul);
export const oneHot = byDevice(network.oneHot);
export const pool2d = byDevice(network.pool2d);
export const pool2dGradient = byDevice(network.pool2dGradient);
export const reduce = byDevice(network.reduce);
export const pixelValues = byDevice(network.pixelValues);
export const resample = byDevice(network.resample);
export const segmentSum = byDevice(network.segmentSum);
export const select = byDevice(network.select);
export const softmax = byDevice(network.softmax);
export const stridedCopy = byDevice(network.stridedCopy);
export const topK = byDevice(network.topK);
export const unary = byDevice(network.unary);
