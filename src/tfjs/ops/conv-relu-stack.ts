import * as tf from '#tf';
import { invalid } from '../../errors.js';
import { convActivated, type Pad } from './convolve.js';
import { sumRelu } from './sum-relu.js';

/** A convolution, its bias and relu; filter [height, width, c, filters], bias [filters]; pixels on every side, or TensorFlow's padding. */
export interface ConvReluLayer {
  filter: tf.Tensor4D;
  bias: tf.Tensor1D;
  strides: number;
  /** Default: 'same'. */
  pad?: Pad;
}

const KERNEL = 'ConvReluStack';

/**
 * Convolutions with bias and relu one after another on x [n, h, w, c]; differentiable in x, any number of times, as attacks need it:
 * gradients by filters and biases are not to be asked for. Where the backend has it as one kernel, a few images at a time go
 * through all layers, and of what lies between these only bits are kept. With a `sum`, like the output, it is a residual block, in
 * whose last layer the sum is added before relu; differentiable in it, too, and x itself may be it.
 */
export function convReluStack(x: tf.Tensor4D, layers: readonly ConvReluLayer[], sum?: tf.Tensor4D): tf.Tensor4D {
  if (layers.length === 0) throw invalid('layers', 'a list of at least one layer', layers);
  if (!tf.getKernel(KERNEL, tf.getBackend())) return layerByLayer(layers, x, sum);
  const residual = sum === x;
  const other = residual ? undefined : sum;
  const geometry = { strides: layers.map(({ strides }) => strides), pads: layers.map(({ pad = 'same' }) => pad) };
  const attrs = { inputShape: x.shape, ...geometry, residual, summed: !!other };
  const run = (kernel: string, inputs: object) =>
    tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs) as unknown as tf.Tensor4D[];
  const [filters, biases] = [layers.map(({ filter }) => filter), layers.map(({ bias }) => bias)];
  const stack = tf.customGrad((...args) => {
    const given = args.slice(0, -1) as tf.Tensor[];
    const [save, [images, added]] = [args.at(-1) as unknown as tf.GradSaveFunc, given];
    const [value, passed] = run(KERNEL, { x: images, filters, biases, ...(added && { sum: added }) });
    save([passed, ...given, ...filters, ...biases]);
    const gradFunc = (dy: tf.Tensor, [bits, ...kept]: tf.Tensor[]) => {
      const [inputs, weights] = [kept.slice(0, given.length), kept.slice(given.length)];
      if (tf.engine().state.gradientDepth === 0) {
        return run(`${KERNEL}BackpropInput`, { dy, passed: bits, filters: weights.slice(0, layers.length) });
      }
      // A gradient of this gradient needs operations that have one.
      const again = layers.map((layer, i) => ({ ...layer, filter: weights[i], bias: weights[layers.length + i] }));
      const value = (at: tf.Tensor, to?: tf.Tensor) =>
        layerByLayer(again as ConvReluLayer[], at as tf.Tensor4D, (residual ? at : to) as tf.Tensor4D | undefined);
      return tf.grads(value)(inputs, dy);
    };
    return { value, gradFunc };
  });
  return stack(...(other ? [x, other] : [x]));
}

function layerByLayer(layers: readonly ConvReluLayer[], x: tf.Tensor4D, sum?: tf.Tensor4D): tf.Tensor4D {
  return layers.reduce((y, { filter, bias, strides, pad = 'same' }, i) => {
    const how = { strides, pad, depthwise: false };
    if (!sum || i + 1 < layers.length) return convActivated(y, filter, bias, { ...how, activation: 'relu' });
    return sumRelu(convActivated(y, filter, bias, { ...how, activation: 'none' }), sum);
  }, x);
}
