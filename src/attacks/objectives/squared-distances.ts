import * as tf from '#tf';

/**
 * |a_i - b_j|², [n, m], of a [n, d] and b [m, d], seen from `origin` [1, d], a constant near them: |x|² + |y|² - 2 x.y. Seen
 * from 0, or as 2 - 2 a.b, nothing would be left of it for the compressed embeddings that robust models have.
 */
export function squaredDistances(a: tf.Tensor2D, b: tf.Tensor2D, origin: tf.Tensor2D): tf.Tensor2D {
  const [x, y] = [tf.sub<tf.Tensor2D>(a, origin), tf.sub<tf.Tensor2D>(b, origin)];
  const squares = tf.add(tf.sum(tf.square(x), 1, true), tf.reshape(tf.sum(tf.square(y), 1), [1, -1]));
  return tf.sub(squares, tf.mul(tf.matMul(x, y, false, true), 2));
}

/** The mean of rows [n, d], [1, d]. */
export function meanRow(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.mean(rows, 0, true);
}
