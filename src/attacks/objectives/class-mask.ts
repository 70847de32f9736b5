import * as tf from '#tf';

/** True at the column of each sample's class, [n, classes]. */
export function classMask(classOf: Int32Array, classes: number): tf.Tensor2D {
  return tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(classOf, 'int32'), classes), 'bool') as tf.Tensor2D);
}
