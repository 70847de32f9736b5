import * as tf from '#tf';

/** Of each row of `t` [n, ...] 0 where it is sound, else what is not finite in it: what can wait to be read, where `t` would take memory. */
export function faultsOf(t: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => {
    // 0 times a finite number is 0, and NaN otherwise.
    const faults = tf.where(tf.equal(tf.mul(t, 0), 0), tf.zerosLike(t), t);
    return tf.sum(tf.reshape(faults, [t.shape[0], -1]), 1);
  });
}
