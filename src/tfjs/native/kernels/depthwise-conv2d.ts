import * as tf from '#tf';
import {
  depthwiseConv2d,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
} from '../../../kernels/network/index.js';
import { compose } from '../../compose.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { biasAndActivation, type FusedAttrs } from './activation.js';
import { type Shape4D, windowGeometry } from './geometry.js';

/** What the forward pass and both gradients give of a depthwise convolution. */
interface DepthwiseAttrs extends FusedAttrs {
  strides: number | [number, number];
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  dilations?: number | [number, number];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  dataFormat?: string;
}

function infoOf(x: readonly number[], filter: readonly number[], attrs: DepthwiseAttrs) {
  const { strides, pad, dilations, dimRoundingMode } = attrs;
  const shapes = [x, filter] as unknown as [Shape4D, Shape4D];
  return tf.backend_util.computeConv2DInfo(...shapes, strides, dilations ?? 1, pad, dimRoundingMode, true);
}

/** One filter per channel. */
const onePerChannel = ({ attrs }: KernelCall<DepthwiseAttrs>, filter: readonly number[]) =>
  filter[3] === 1 && (attrs.dataFormat ?? 'NHWC') === 'NHWC';

const forward: NativeKernel<DepthwiseAttrs> = {
  kernelName: 'DepthwiseConv2dNative',
  accepts: (call) => onePerChannel(call, call.inputs.filter.shape),
  run({ inputs: { x, filter }, attrs, backend }) {
    const info = infoOf(x.shape, filter.shape, attrs);
    const operands = { input: backend.floats(x), filter: backend.floats(filter), out: backend.allocate(info.outShape) };
    return backend.output(info.outShape, depthwiseConv2d({ geometry: windowGeometry(info), ...operands }));
  },
};

/** act(depthwise convolution + bias), relu or relu6; its gradient is registered beside `depthwiseRelu`. */
const depthwiseRelu: NativeKernel<DepthwiseAttrs> = {
  kernelName: 'DepthwiseRelu',
  run({ inputs: { x, filter, bias }, attrs, backend }) {
    const info = infoOf(x.shape, filter.shape, attrs);
    const operands = { input: backend.floats(x), filter: backend.floats(filter), bias: backend.floats(bias) };
    const ends = { activation: attrs.activation as 'relu' | 'relu6', out: backend.allocate(info.outShape) };
    return backend.output(info.outShape, depthwiseConv2d({ geometry: windowGeometry(info), ...operands, ...ends }));
  },
};

const fused: NativeKernel<DepthwiseAttrs> = {
  kernelName: 'FusedDepthwiseConv2D',
  accepts: (call) => onePerChannel(call, call.inputs.filter.shape),
  run({ inputs, attrs, backend }) {
    return compose('native', backend, (run) => {
      const { x, filter } = inputs;
      const product = run('DepthwiseConv2dNative', { x, filter }, { ...attrs, activation: undefined });
      return biasAndActivation(run, product, inputs, attrs);
    });
  },
};

const byInput: NativeKernel<DepthwiseAttrs & { inputShape: Shape4D }> = {
  kernelName: 'DepthwiseConv2dNativeBackpropInput',
  accepts: (call) => onePerChannel(call, call.inputs.filter.shape),
  run({ inputs: { dy, filter }, attrs, backend }) {
    const info = infoOf(attrs.inputShape, filter.shape, attrs);
    const operands = { dy: backend.floats(dy), filter: backend.floats(filter), out: backend.allocate(info.inShape) };
    return backend.output(info.inShape, depthwiseConv2dBackpropInput({ geometry: windowGeometry(info), ...operands }));
  },
};

const byFilter: NativeKernel<DepthwiseAttrs & { filterShape: Shape4D }> = {
  kernelName: 'DepthwiseConv2dNativeBackpropFilter',
  accepts: (call) => onePerChannel(call, call.attrs.filterShape),
  run({ inputs: { x, dy }, attrs, backend }) {
    const info = infoOf(x.shape, attrs.filterShape, attrs);
    const operands = { input: backend.floats(x), dy: backend.floats(dy), out: backend.allocate(attrs.filterShape) };
    const values = depthwiseConv2dBackpropFilter({ geometry: windowGeometry(info), ...operands });
    return backend.output(attrs.filterShape, values);
  },
};

export const depthwiseKernels: NativeKernel[] = [forward, depthwiseRelu, fused, byInput, byFilter];
