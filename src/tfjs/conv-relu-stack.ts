import * as tf from '@tensorflow/tfjs';
import { invalid } from '../errors.js';
import { convRelu } from './conv-relu.js';

/** A convolution, its bias and relu, 'same' padding; filter [height, width, c, filters], bias [filters]. */
export interface ConvReluLayer {
  filter: tf.Tensor4D;
  bias: tf.Tensor1D;
  strides: number;
}

const KERNEL = 'ConvReluStack';

/**
 * Layers of {@link convRelu} one after another on x [n, h, w, c]; differentiable in x, any number of times, as attacks need it:
 * gradients by filters and biases are not to be asked for. Where the backend has it as one kernel, a few images at a time go
 * through all layers, and of what lies between these only bits are kept.
 */
export function convReluStack(x: tf.Tensor4D, layers: readonly ConvReluLayer[]): tf.Tensor4D {
  if (layers.length === 0) throw invalid('layers', 'a list of at least one layer', layers);
  if (!tf.getKernel(KERNEL, tf.getBackend())) return layerByLayer(x, layers);
  const attrs = { inputShape: x.shape, strides: layers.map(({ strides }) => strides) };
  const [filters, biases] = [layers.map(({ filter }) => filter), layers.map(({ bias }) => bias)];
  const run = (kernel: string, inputs: object) =>
    tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs) as unknown as tf.Tensor4D | tf.Tensor4D[];
  const stack = tf.customGrad((input, save) => {
    const [value, passed] = run(KERNEL, { x: input, filters, biases }) as tf.Tensor4D[];
    (save as tf.GradSaveFunc)([input as tf.Tensor4D, passed, ...filters, ...biases]);
    const gradFunc = (dy: tf.Tensor, [images, bits, ...kept]: tf.Tensor[]) => {
      const weights = kept.slice(0, layers.length);
      if (tf.engine().state.gradientDepth === 0) {
        return run(`${KERNEL}BackpropInput`, { dy, passed: bits, filters: weights }) as tf.Tensor4D;
      }
      // A gradient of this gradient needs operations that have one.
      const again = layers.map(({ strides }, i) => ({ strides, filter: weights[i], bias: kept[layers.length + i] }));
      return tf.grad((at) => layerByLayer(at as tf.Tensor4D, again as ConvReluLayer[]))(images, dy);
    };
    return { value, gradFunc };
  });
  return stack(x);
}

function layerByLayer(x: tf.Tensor4D, layers: readonly ConvReluLayer[]): tf.Tensor4D {
  return layers.reduce((y, { filter, bias, strides }) => convRelu(y, filter, bias, { strides, pad: 'same' }), x);
}
