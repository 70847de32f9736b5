import * as tf from '#tf';
import { convReluStack, convReluStackBackpropInput, passedLength } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { flopsOf } from './conv2d.js';
import { type Shape4D, windowGeometry } from './geometry.js';

interface StackAttrs {
  /** Shape of the images. */
  inputShape: Shape4D;
  /** Of each layer. */
  strides: number[];
  pads: ('same' | 'valid' | number)[];
  /** Whether the images themselves are the sum. */
  residual: boolean;
}

/** `filters` and `biases` are lists, one of each per layer. */
interface Layers {
  filters: tf.TensorInfo[];
  biases?: tf.TensorInfo[];
}

const layersOf = (call: KernelCall<StackAttrs>) => call.inputs as unknown as Layers;

function infos(call: KernelCall<StackAttrs>): tf.backend_util.Conv2DInfo[] {
  const { inputShape, strides, pads } = call.attrs;
  let shape = inputShape;
  return layersOf(call).filters.map((filter, i) => {
    const info = tf.backend_util.computeConv2DInfo(shape, filter.shape as Shape4D, strides[i], 1, pads[i]);
    shape = info.outShape;
    return info;
  });
}

function stackLayers(call: KernelCall<StackAttrs>) {
  const { backend } = call;
  const { filters, biases } = layersOf(call);
  return infos(call).map((info, i) => ({
    geometry: windowGeometry(info),
    filter: backend.floats(filters[i]),
    bias: biases && backend.floats(biases[i]),
  }));
}

function flops(call: KernelCall<StackAttrs>): number {
  return infos(call).reduce((sum, info) => sum + flopsOf(info), 0);
}

/** relu(conv2d + bias), layer after layer, before the last relu plus the input `sum` or the images: [output, bits of what relu let pass]. */
const convReluStackKernel: NativeKernel<StackAttrs> = {
  kernelName: 'ConvReluStack',
  flops,
  run(call) {
    const { backend, inputs, attrs } = call;
    const layers = stackLayers(call);
    const sum = attrs.residual ? inputs.x : (inputs.sum as tf.TensorInfo | undefined);
    const { batch, outHeight, outWidth, outChannels } = layers[layers.length - 1].geometry;
    const shape = [batch, outHeight, outWidth, outChannels];
    const passed = backend.allocateIntegers([passedLength(layers)]);
    const { out } = convReluStack({
      layers,
      input: backend.floats(inputs.x),
      sum: sum && backend.floats(sum),
      out: backend.allocate(shape),
      passed,
    });
    return [backend.output(shape, out), backend.makeTensorInfo([passed.length], 'int32', passed)];
  },
};

/** Its gradients by the images and, where it is `summed`, by the sum. */
const convReluStackBackpropInputKernel: NativeKernel<StackAttrs & { summed: boolean }> = {
  kernelName: 'ConvReluStackBackpropInput',
  flops,
  run(call) {
    const { backend, inputs, attrs } = call;
    const [dy, passed] = [backend.floats(inputs.dy), backend.integers(inputs.passed)];
    const out = backend.allocate(attrs.inputShape);
    const masked = attrs.summed ? backend.allocate(inputs.dy.shape) : undefined;
    convReluStackBackpropInput({ layers: stackLayers(call), dy, passed, residual: attrs.residual, out, masked });
    const byImages = backend.output(attrs.inputShape, out);
    return masked ? [byImages, backend.output(inputs.dy.shape, masked)] : [byImages];
  },
};

export const convReluStackKernels: NativeKernel[] = [convReluStackKernel, convReluStackBackpropInputKernel];
