import * as tf from '@tensorflow/tfjs';
import { convRelu } from './conv-relu.js';

/** TensorFlow's 'same' or 'valid', or so many rows and columns on every side. */
export type Pad = 'same' | 'valid' | number;

export interface ConvolveAttrs {
  strides: number;
  pad: Pad;
  /** Each channel by a filter of its own: filter [height, width, channels, 1]. */
  depthwise: boolean;
}

type ActivationName = 'none' | 'relu' | 'relu6';

/** The convolution of x [n, h, w, c] with filter [height, width, c, filters], or {@link ConvolveAttrs.depthwise}; differentiable. */
export function convolve(x: tf.Tensor4D, filter: tf.Tensor4D, { strides, pad, depthwise }: ConvolveAttrs): tf.Tensor4D {
  const [input, how] = padded(x, pad, 0);
  return depthwise ? tf.depthwiseConv2d(input, filter, strides, how) : tf.conv2d(input, filter, strides, how);
}

/** act(convolve(x, filter) + bias), bias [filters]; differentiable, and fused as far as that allows. */
export function convActivated(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor1D,
  { activation, ...attrs }: ConvolveAttrs & { activation: ActivationName },
): tf.Tensor4D {
  const { strides, depthwise } = attrs;
  const [input, pad] = padded(x, attrs.pad, 0);
  if (activation === 'relu' && !depthwise) return convRelu(input, filter, bias, { strides, pad });
  // The gradient of tfjs's fused kernels is by the filter, too, asked for or not.
  if (tf.engine().state.gradientDepth > 0) return activated(tf.add(convolve(x, filter, attrs), bias), activation);
  const fused = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  return fused({ x: input, filter, bias, strides, pad, activation: activation === 'none' ? 'linear' : activation });
}

/** The greatest value in each window; what lies outside the image is never it. */
export function maxPool(x: tf.Tensor4D, size: number, strides: number, pad: Pad): tf.Tensor4D {
  const [input, how] = padded(x, pad, -3e38);
  return tf.maxPool(input, size, strides, how);
}

export function activated<T extends tf.Tensor>(x: T, activation: ActivationName): T {
  if (activation === 'none') return x;
  return activation === 'relu' ? tf.relu(x) : tf.relu6(x);
}

/** tfjs-node's backend knows 'same' and 'valid' alone: there the border is written out. */
function padded(x: tf.Tensor4D, pad: Pad, value: number): [tf.Tensor4D, Pad] {
  if (typeof pad !== 'number' || tf.getBackend() !== 'tensorflow') return [x, pad];
  const around: [number, number] = [pad, pad];
  return [tf.pad(x, [[0, 0], around, around, [0, 0]], value), 'valid'];
}
