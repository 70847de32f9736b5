import * as tf from '@tensorflow/tfjs';
import { conv2dBackpropFilterSync, conv2dBackpropInputSync, conv2dSync } from '../../kernels/conv2d.js';
import { compose } from '../compose.js';
import { biasAndActivation, type FusedAttrs, inRegister } from './activation.js';
import { type Shape4D, windowGeometry } from './geometry.js';
import type { KernelCall, NativeKernel } from './kernel.js';

type FusedConv2DAttrs = tf.Conv2DAttrs & FusedAttrs;

const channelsLast = ({ attrs }: KernelCall<{ dataFormat?: string }>) => (attrs.dataFormat ?? 'NHWC') === 'NHWC';

const sameShape = (a: tf.TensorInfo, shape: readonly number[]) => a.shape.join() === shape.join();

function forward(call: KernelCall<FusedConv2DAttrs>, bias?: tf.TensorInfo): tf.TensorInfo {
  const { backend, attrs } = call;
  const { x, filter } = call.inputs;
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filter.shape as Shape4D,
    attrs.strides,
    attrs.dilations,
    attrs.pad,
    attrs.dimRoundingMode,
  );
  const values = conv2dSync({
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

const conv2d: NativeKernel<tf.Conv2DAttrs> = {
  kernelName: 'Conv2D',
  accepts: channelsLast,
  run: (call) => forward(call),
};

const fusedConv2d: NativeKernel<FusedConv2DAttrs> = {
  kernelName: 'FusedConv2D',
  accepts: channelsLast,
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

const conv2dBackpropInput: NativeKernel<tf.Conv2DBackpropInputAttrs> = {
  kernelName: 'Conv2DBackpropInput',
  // A transposed convolution may name an output that its input is not the convolution of.
  accepts: (call) => channelsLast(call) && sameShape(call.inputs.dy, inputGradientInfo(call).outShape),
  run(call) {
    const { inputs, backend } = call;
    const { dy, filter } = inputs;
    const info = inputGradientInfo(call);
    const values = conv2dBackpropInputSync({
      geometry: windowGeometry(info),
      dy: backend.floats(dy),
      filter: backend.floats(filter),
      out: backend.allocate(info.inShape),
    });
    return backend.output(info.inShape, values);
  },
};

const conv2dBackpropFilter: NativeKernel<tf.Conv2DBackpropFilterAttrs> = {
  kernelName: 'Conv2DBackpropFilter',
  accepts: channelsLast,
  run({ inputs: { x, dy }, attrs, backend }) {
    const { filterShape, strides, pad, dimRoundingMode } = attrs;
    const info = tf.backend_util.computeConv2DInfo(x.shape as Shape4D, filterShape, strides, 1, pad, dimRoundingMode);
    const values = conv2dBackpropFilterSync({
      geometry: windowGeometry(info),
      input: backend.floats(x),
      dy: backend.floats(dy),
      out: backend.allocate(info.filterShape),
    });
    return backend.output(info.filterShape, values);
  },
};

export const convolutionKernels: NativeKernel[] = [conv2d, fusedConv2d, conv2dBackpropInput, conv2dBackpropFilter];
