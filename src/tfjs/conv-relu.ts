import * as tf from '@tensorflow/tfjs';

export interface ConvReluAttrs {
  strides: number | [number, number];
  pad: 'same' | 'valid' | number;
}

const KERNEL = 'ConvRelu';

/**
 * relu(conv2d(x, filter) + bias) of x [n, h, w, c], filter [height, width, c, filters], bias [filters]; differentiable in all
 * three. Where the backend has it as one kernel, neither pass writes what only the next operation reads.
 */
export function convRelu(x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D, attrs: ConvReluAttrs): tf.Tensor4D {
  if (!tf.getKernel(KERNEL, tf.getBackend())) {
    return tf.fused.conv2d({ x, filter, bias, activation: 'relu', ...attrs });
  }
  const inputs = { x, filter, bias } as unknown as tf.NamedTensorMap;
  return tf.engine().runKernel(KERNEL, inputs, { ...attrs }) as tf.Tensor4D;
}

tf.registerGradient({
  kernelName: KERNEL,
  inputsToSave: ['x', 'filter'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter, y] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const { strides, pad } = attrs as unknown as ConvReluAttrs;
    const dz = passed(dy as tf.Tensor4D, y);
    const options = { strides, pad, dataFormat: 'NHWC', dilations: 1 };
    const run = (name: string, inputs: object, more: object) =>
      tf.engine().runKernel(name, inputs as tf.NamedTensorMap, { ...options, ...more }) as tf.Tensor4D;
    return {
      x: () => run('Conv2DBackpropInput', { dy: dz, filter }, { inputShape: x.shape }),
      filter: () => run('Conv2DBackpropFilter', { x, dy: dz }, { filterShape: filter.shape }),
      bias: () => tf.sum(dz, [0, 1, 2]),
    };
  },
});

/** dy where relu let its operand pass; by differentiable operations where a gradient of this gradient is taken. */
function passed(dy: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D {
  if (tf.engine().state.gradientDepth > 0) return tf.mul(dy, tf.step(y));
  return tf.engine().runKernel('ReluGrad', { dy, y } as unknown as tf.NamedTensorMap) as tf.Tensor4D;
}
