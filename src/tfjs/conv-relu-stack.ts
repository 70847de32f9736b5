import * as tf from '@tensorflow/tfjs';
import { convRelu, passed } from './conv-relu.js';

/** A convolution, its bias and relu, 'same' padding; filter [height, width, c, filters], bias [filters]. */
export interface ConvReluLayer {
  filter: tf.Tensor4D;
  bias: tf.Tensor1D;
  strides: number;
}

/** What the gradient needs of a layer. */
type Kept = Pick<ConvReluLayer, 'filter' | 'strides'>;

const GATED = 'GatedConv2DBackpropInput';

/**
 * Layers of {@link convRelu} one after another on x [n, h, w, c]; differentiable in x, as attacks need it. Where the backend
 * can, the gradient of a layer lets through at once what the relu before it did, and no two layers' gradients are held at a time.
 */
export function convReluStack(x: tf.Tensor4D, layers: readonly ConvReluLayer[]): tf.Tensor4D {
  const forward = (input: tf.Tensor4D, { filter, bias, strides }: ConvReluLayer) =>
    convRelu(input, filter, bias, { strides, pad: 'same' });
  if (!tf.getKernel(GATED, tf.getBackend())) return layers.reduce(forward, x);
  const stack = tf.customGrad((input, save) => {
    const outputs: tf.Tensor4D[] = [];
    for (const layer of layers) outputs.push(forward(outputs.at(-1) ?? (input as tf.Tensor4D), layer));
    (save as tf.GradSaveFunc)([...outputs, ...layers.map(({ filter }) => filter)]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const kept = saved.slice(outputs.length).map((filter, i) => ({ filter, strides: layers[i].strides }) as Kept);
      return inputGradient(dy as tf.Tensor4D, x.shape, saved.slice(0, outputs.length) as tf.Tensor4D[], kept);
    };
    return { value: outputs.at(-1)!, gradFunc };
  });
  return stack(x);
}

/** The gradient by the images, `shape`, of layers that gave `outputs`. */
function inputGradient(
  dy: tf.Tensor4D,
  shape: readonly number[],
  outputs: readonly tf.Tensor4D[],
  layers: readonly Kept[],
): tf.Tensor4D {
  // Where a gradient of this gradient is taken, by operations that have one.
  const differentiable = tf.engine().state.gradientDepth > 0;
  let d = passed(dy, outputs.at(-1)!);
  for (let i = layers.length - 1; i >= 0; i--) {
    const { filter, strides } = layers[i];
    const below = i > 0 ? outputs[i - 1] : undefined;
    const kernel = below && !differentiable ? GATED : 'Conv2DBackpropInput';
    const inputs = { dy: d, filter, ...(kernel === GATED && { gate: below }) } as unknown as tf.NamedTensorMap;
    const inputShape = [...(below?.shape ?? shape)];
    const attrs = { strides, pad: 'same', dataFormat: 'NHWC', dilations: 1, inputShape };
    const dx = tf.engine().runKernel(kernel, inputs, attrs) as tf.Tensor4D;
    if (!differentiable) d.dispose();
    d = below && differentiable ? passed(dx, below) : dx;
  }
  return d;
}
