import * as tf from '#tf';

/** The values of `x`, held fixed under the gradient. */
export function constant<T extends tf.Tensor>(x: T): T {
  const fixed = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return fixed(x) as T;
}
