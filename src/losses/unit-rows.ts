import * as tf from '@tensorflow/tfjs';

/** Rows scaled to unit length; a zero row stays zero, with a finite gradient. */
export function unitRows(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), 1e-24)));
}
