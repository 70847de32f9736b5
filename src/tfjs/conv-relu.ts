import * as tf from '@tensorflow/tfjs';

export interface ConvReluAttrs {
  strides: number | [number, number];
  pad: 'same' | 'valid' | number;
}

const RELU = 'ConvRelu';
const LINEAR = 'ConvBias';

type Inputs = [x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D, attrs: ConvReluAttrs];

/**
 * relu(conv2d(x, filter) + bias) of x [n, h, w, c], filter [height, width, c, filters], bias [filters]; differentiable in all
 * three. Where the backend has it as one kernel, neither pass writes what only the next operation reads.
 */
export function convRelu(...[x, filter, bias, attrs]: Inputs): tf.Tensor4D {
  if (!tf.getKernel(RELU, tf.getBackend())) return tf.fused.conv2d({ x, filter, bias, activation: 'relu', ...attrs });
  return run(RELU, { x, filter, bias }, attrs);
}

/** {@link convRelu} without relu. */
export function convBias(...[x, filter, bias, attrs]: Inputs): tf.Tensor4D {
  if (tf.getKernel(LINEAR, tf.getBackend())) return run(LINEAR, { x, filter, bias }, attrs);
  // The gradient of tfjs's fused kernel is by the filter, too, asked for or not.
  const graded = tf.engine().state.gradientDepth > 0;
  if (graded) return tf.add(tf.conv2d(x, filter, attrs.strides, attrs.pad), bias);
  return tf.fused.conv2d({ x, filter, bias, activation: 'linear', ...attrs });
}

function run(kernel: string, inputs: object, attrs: object): tf.Tensor4D {
  return tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, { ...attrs }) as tf.Tensor4D;
}

tf.registerGradient({
  kernelName: RELU,
  inputsToSave: ['x', 'filter'],
  outputsToSave: [true],
  gradFunc: (dy, [x, filter, y], attrs) => gradients(passed(dy as tf.Tensor4D, y as tf.Tensor4D), x, filter, attrs),
});

tf.registerGradient({
  kernelName: LINEAR,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, [x, filter], attrs) => gradients(dy as tf.Tensor4D, x, filter, attrs),
});

/** Of a convolution and its bias; only those that are asked for are run. */
function gradients(dy: tf.Tensor4D, x: tf.Tensor, filter: tf.Tensor, attrs: object) {
  const { strides, pad } = attrs as ConvReluAttrs;
  const options = { strides, pad, dataFormat: 'NHWC', dilations: 1 };
  return {
    x: () => run('Conv2DBackpropInput', { dy, filter }, { ...options, inputShape: x.shape }),
    filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...options, filterShape: filter.shape }),
    bias: () => tf.sum(dy, [0, 1, 2]),
  };
}

/** dy where relu let its operand pass; by differentiable operations where a gradient of this gradient is taken. */
export function passed<T extends tf.Tensor>(dy: T, y: T): T {
  if (tf.engine().state.gradientDepth > 0) return tf.mul(dy, tf.step(y));
  return tf.engine().runKernel('ReluGrad', { dy, y } as unknown as tf.NamedTensorMap) as T;
}
