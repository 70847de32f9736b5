import * as tf from '#tf';

/** Images and their objective: [n], or [1] for a whole batch. */
export type Candidate = { images: tf.Tensor4D; values: tf.Tensor1D };

/** The better of both by sample, or as a whole when the values belong together. */
export function better(kept: Candidate | undefined, offered: Candidate, joint: boolean): Candidate {
  const values: tf.Tensor1D = joint ? tf.reshape(tf.sum(offered.values), [1]) : offered.values;
  if (!kept) return { images: tf.clone(offered.images), values: tf.clone(values) };
  const wins = tf.greater(values, kept.values);
  return {
    images: tf.where(tf.reshape(wins, [-1, 1, 1, 1]), offered.images, kept.images),
    values: tf.where(wins, values, kept.values),
  };
}

/** Per-sample numbers shaped to scale images: [n] or [1] to [n or 1, 1, 1, 1]. */
export function perSample(values: ArrayLike<number>): tf.Tensor4D {
  return tf.tensor4d(Float32Array.from(values), [values.length, 1, 1, 1]);
}
