import * as tf from '#tf';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput } from '../../../kernels/network/index.js';
import { compose } from '../../compose.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { biasAndActivation, type FusedAttrs, inRegister } from './activation.js';
import { type Shape4D, windowGeometry } from './geometry.js';

type FusedConv2DAttrs = tf.Conv2DAttrs & FusedAttrs;

const channelsLast = ({ attrs }: KernelCall<{ dataFormat?: string }>) => (attrs.dataFormat ?? 'NHWC') === 'NHWC';

const sameShape = (a: tf.TensorInfo, shape: readonly number[]) => a.shape.join() === shape.join();

function forwardInfo({ inputs: { x, filter }, attrs }: KernelCall<tf.Conv2DAttrs>) {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  const shapes = [x.shape, filter.shape] as [Shape4D, Shape4D];
  return tf.backend_util.computeConv2DInfo(...shapes, strides, dilations, pad, dimRoundingMode);
}

/** A multiplication and an addition per output pixel and element of the filter, padding included. */
export function flopsOf({ outShape, filterShape }: tf.backend_util.Conv2DInfo): number {
  return 2 * outShape[0] * outShape[1] * outShape[2] * tf.util.sizeFromShape(filterShape);
}

function forward(call: KernelCall<FusedConv2DAttrs>, bias?: tf.TensorInfo): tf.TensorInfo {
  const { backend, attrs } = call;
  const { x, filter } = call.inputs;
  const info = forwardInfo(call);
  const values = conv2d({
    geometry: windowGeometry(info),
    input: backend.floats(x),
    filter: backend.floats(filter),
    bias: bias && backend.floats(bias),
    activation: inRegister(attrs.activation) ?? 'none',
    out: backend.allocate(info.outShape),
  });
  return backend.output(info.outShape, values);
}

/** A bias per output channel, which is added in registers. */
function perChannel({ bias, filter }: Record<string, tf.TensorInfo | undefined>): boolean {
  return !bias || (bias.shape.length === 1 && bias.shape[0] === filter!.shape[3]);
}

const conv2dKernel: NativeKernel<tf.Conv2DAttrs> = {
  kernelName: 'Conv2D',
  accepts: channelsLast,
  flops: (call) => flopsOf(forwardInfo(call)),
  run: (call) => forward(call),
};

const fusedConv2d: NativeKernel<FusedConv2DAttrs> = {
  kernelName: 'FusedConv2D',
  accepts: channelsLast,
  flops: (call) => flopsOf(forwardInfo(call)),
  run(call) {
    const { inputs, attrs, backend } = call;
    if (inRegister(attrs.activation) && perChannel(inputs)) return forward(call, inputs.bias);
    return compose('native', backend, (run) => {
      const product = run('Conv2D', { x: inputs.x, filter: inputs.filter }, { ...attrs, activation: undefined });
      return biasAndActivation(run, product, inputs, attrs);
    });
  },
};

function inputGradientInfo({ inputs, attrs }: KernelCall<tf.Conv2DBackpropInputAttrs>) {
  const { inputShape, strides, pad, dimRoundingMode } = attrs;
  const shape = inputs.filter.shape as Shape4D;
  return tf.backend_util.computeConv2DInfo(inputShape, shape, strides, 1, pad, dimRoundingMode);
}

const conv2dBackpropInputKernel: NativeKernel<tf.Conv2DBackpropInputAttrs> = {
  kernelName: 'Conv2DBackpropInput',
  // A transposed convolution may name an output that its input is not the convolution of.
  accepts: (call) => channelsLast(call) && sameShape(call.inputs.dy, inputGradientInfo(call).outShape),
  flops: (call) => flopsOf(inputGradientInfo(call)),
  run(call) {
    const { inputs, backend } = call;
    const info = inputGradientInfo(call);
    const values = conv2dBackpropInput({
      geometry: windowGeometry(info),
      dy: backend.floats(inputs.dy),
      filter: backend.floats(inputs.filter),
      out: backend.allocate(info.inShape),
    });
    return backend.output(info.inShape, values);
  },
};

function filterGradientInfo({ inputs, attrs }: KernelCall<tf.Conv2DBackpropFilterAttrs>) {
  const { filterShape, strides, pad, dimRoundingMode } = attrs;
  const shape = inputs.x.shape as Shape4D;
  return tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
}

const conv2dBackpropFilterKernel: NativeKernel<tf.Conv2DBackpropFilterAttrs> = {
  kernelName: 'Conv2DBackpropFilter',
  accepts: (call) => channelsLast(call) && sameShape(call.inputs.dy, filterGradientInfo(call).outShape),
  flops: (call) => flopsOf(filterGradientInfo(call)),
  run(call) {
    const { inputs, backend } = call;
    const { x, dy } = inputs;
    const info = filterGradientInfo(call);
    const values = conv2dBackpropFilter({
      geometry: windowGeometry(info),
      input: backend.floats(x),
      dy: backend.floats(dy),
      out: backend.allocate(info.filterShape),
    });
    return backend.output(info.filterShape, values);
  },
};

/** act(conv2d + bias), relu or relu6; its gradient is registered beside `convRelu`. */
const convRelu: NativeKernel<FusedConv2DAttrs> = {
  kernelName: 'ConvRelu',
  flops: (call) => flopsOf(forwardInfo({ ...call, attrs: { ...call.attrs, dilations: 1 } })),
  run: (call) => forward({ ...call, attrs: { ...call.attrs, dilations: 1 } }, call.inputs.bias),
};

/** conv2d + bias; likewise. */
const convBias: NativeKernel<FusedConv2DAttrs> = { ...convRelu, kernelName: 'ConvBias' };

export const convolutionKernels: NativeKernel[] = [
  convRelu,
  convBias,
  conv2dKernel,
  fusedConv2d,
  conv2dBackpropInputKernel,
  conv2dBackpropFilterKernel,
];
