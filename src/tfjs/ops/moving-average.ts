import * as tf from '#tf';

export interface MovingAverageAttrs {
  /** Share of the old average that is kept. */
  momentum: number;
  /** What a new value counts for, beside 1 - momentum. */
  scale: number;
}

/** momentum · average + (1 - momentum) · scale · value, of tensors of one shape; not differentiable. */
export function movingAverage(average: tf.Tensor, value: tf.Tensor, attrs: MovingAverageAttrs): tf.Tensor {
  if (tf.getKernel('MovingAverage', tf.getBackend())) {
    const inputs = { average, value } as unknown as tf.NamedTensorMap;
    return tf.engine().runKernel('MovingAverage', inputs, { ...attrs }) as tf.Tensor;
  }
  const { momentum, scale } = attrs;
  return tf.add(tf.mul(average, momentum), tf.mul(value, (1 - momentum) * scale));
}
