import * as tf from '#tf';

/** Mean over height and width of x [n, h, w, c]: [n, c]. Its gradient is written in one pass, where tfjs's takes three. */
export function meanPool(x: tf.Tensor4D): tf.Tensor2D {
  const [n, h, w, c] = x.shape;
  const pool = tf.customGrad((input) => ({
    value: tf.mean<tf.Tensor2D>(input as tf.Tensor, [1, 2]),
    gradFunc: (dy: tf.Tensor2D) => tf.tile(tf.reshape(tf.div(dy, h * w), [n, 1, 1, c]), [1, h, w, 1]),
  }));
  return pool(x);
}
