import * as tf from '#tf';

export interface ConvReluAttrs {
  strides: number | [number, number];
  pad: 'same' | 'valid' | number;
}

export type Rectifier = 'relu' | 'relu6';

const RELU = 'ConvRelu';
const LINEAR = 'ConvBias';
const DEPTHWISE = 'DepthwiseRelu';

type Inputs = [x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D, attrs: ConvReluAttrs];

/**
 * act(conv2d(x, filter) + bias), relu or relu6, of x [n, h, w, c], filter [height, width, c, filters], bias [filters]; differentiable
 * in all three. Where the backend has it as one kernel, neither pass writes what only the next operation reads.
 */
export function convRelu(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor1D,
  { activation = 'relu', ...attrs }: ConvReluAttrs & { activation?: Rectifier },
): tf.Tensor4D {
  if (!tf.getKernel(RELU, tf.getBackend())) return tf.fused.conv2d({ x, filter, bias, activation, ...attrs });
  return run(RELU, { x, filter, bias }, { ...attrs, activation });
}

/** Whether the backend has all of these as kernels: relu6 and depthwise filters have no other form here. */
export const hasConvKernels = (): boolean => tf.getKernel(DEPTHWISE, tf.getBackend()) !== undefined;

/** {@link convRelu} of each channel by a filter of its own, [height, width, c, 1]; where the backend has it. */
export function depthwiseRelu(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor1D,
  attrs: ConvReluAttrs & { activation: Rectifier },
): tf.Tensor4D {
  return run(DEPTHWISE, { x, filter, bias }, attrs);
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

const CONV2D = { byInput: 'Conv2DBackpropInput', byFilter: 'Conv2DBackpropFilter' };
const BY_CHANNEL = {
  byInput: 'DepthwiseConv2dNativeBackpropInput',
  byFilter: 'DepthwiseConv2dNativeBackpropFilter',
};

for (const [kernelName, names] of [
  [RELU, CONV2D],
  [DEPTHWISE, BY_CHANNEL],
] as const) {
  tf.registerGradient({
    kernelName,
    inputsToSave: ['x', 'filter'],
    outputsToSave: [true],
    gradFunc: (dy, [x, filter, y], attrs) => {
      const { activation } = attrs as unknown as { activation: Rectifier };
      return gradients(passed(dy as tf.Tensor4D, y as tf.Tensor4D, activation), x, filter, attrs, names);
    },
  });
}

tf.registerGradient({
  kernelName: LINEAR,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, [x, filter], attrs) => gradients(dy as tf.Tensor4D, x, filter, attrs, CONV2D),
});

/** Of a convolution and its bias, by the kernels of these names; only those that are asked for are run. */
function gradients(
  dy: tf.Tensor4D,
  x: tf.Tensor,
  filter: tf.Tensor,
  attrs: object,
  { byInput, byFilter }: typeof CONV2D,
) {
  const { strides, pad } = attrs as ConvReluAttrs;
  const options = { strides, pad, dataFormat: 'NHWC', dilations: 1 };
  return {
    x: () => run(byInput, { dy, filter }, { ...options, inputShape: x.shape }),
    filter: () => run(byFilter, { x, dy }, { ...options, filterShape: filter.shape }),
    bias: () => tf.sum(dy, [0, 1, 2]),
  };
}

/** dy where the activation let its operand pass; by differentiable operations where a gradient of this gradient is taken. */
export function passed<T extends tf.Tensor>(dy: T, y: T, activation: Rectifier = 'relu'): T {
  if (tf.engine().state.gradientDepth > 0) return tf.mul(dy, passing(y, activation));
  return tf.engine().runKernel('ReluGrad', { dy, y } as unknown as tf.NamedTensorMap, { activation }) as T;
}

/** 1 where the activation, of whose result y is, let its operand pass, else 0. */
export function passing(y: tf.Tensor, activation: Rectifier): tf.Tensor {
  return activation === 'relu' ? tf.step(y) : tf.mul(tf.step(y), tf.step(tf.sub(6, y)));
}
