import * as tf from '#tf';

/** By what tensors and their clones share. */
const known = new WeakMap<object, Int32Array>();

/** An int32 tensor [n] whose values {@link valuesOf} knows: some devices cannot be read back at once, and none has to be for these. */
export function knownTensor(values: ArrayLike<number>): tf.Tensor1D {
  const own = Int32Array.from(values);
  const tensor = tf.tensor1d(own, 'int32');
  known.set(tensor.dataId, own);
  return tensor;
}

/** The values of a tensor; read from the device only where they are not known. */
export function valuesOf(t: tf.Tensor): ArrayLike<number> {
  return known.get(t.dataId) ?? t.dataSync();
}
