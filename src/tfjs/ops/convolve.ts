import * as tf from '#tf';
import { convBias, convRelu, depthwiseRelu, hasConvKernels, type Rectifier } from './conv-relu.js';

/** TensorFlow's 'same' or 'valid', or so many rows and columns on every side. */
export type Pad = 'same' | 'valid' | number;

export interface ConvolveAttrs {
  strides: number;
  pad: Pad;
  /** Each channel by a filter of its own: filter [height, width, channels, 1]. */
  depthwise: boolean;
}

type ActivationName = 'none' | Rectifier;

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
  if (activation !== 'none' && (hasConvKernels() || (activation === 'relu' && !depthwise))) {
    return (depthwise ? depthwiseRelu : convRelu)(input, filter, bias, { strides, pad, activation });
  }
  if (activation === 'none' && !depthwise) return convBias(input, filter, bias, { strides, pad });
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

/**
 * {@link maxPool} without a border, but a last window that begins inside the image may reach over it: PyTorch's `ceil_mode`, for
 * strides of at most `size`.
 */
export function maxPoolCeil(x: tf.Tensor4D, size: number, strides: number): tf.Tensor4D {
  const [bottom, right] = overhang(x.shape, size, strides);
  if (bottom === 0 && right === 0) return tf.maxPool(x, size, strides, 'valid');
  const around = [
    [0, 0],
    [0, bottom],
    [0, right],
    [0, 0],
  ] as [number, number][];
  if (tf.getBackend() === 'tensorflow') return tf.maxPool(tf.pad(x, around, -3e38), size, strides, 'valid');
  return tf.maxPool(x, size, strides, around as tf.backend_util.ExplicitPadding);
}

/** Rows and columns by which the last windows reach over maps [n, h, w, c]. */
export function overhang([, ...sides]: readonly number[], size: number, strides: number): [number, number] {
  const [rows, columns] = sides.map((side) => Math.ceil((side - size) / strides) * strides + size - side);
  return [rows, columns];
}

/** The mean of each window of odd `size` around each place of x [n, h, w, c]; zeros outside the image count. */
export function averagePool(x: tf.Tensor4D, size: number): tf.Tensor4D {
  const around: [number, number] = [(size - 1) / 2, (size - 1) / 2];
  return tf.avgPool(tf.pad(x, [[0, 0], around, around, [0, 0]]), size, 1, 'valid');
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
