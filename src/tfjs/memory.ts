import * as tf from '@tensorflow/tfjs';
import { invalid } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import type { NativeBackend } from './native/backend.js';

/** The backend in use where it is the addon's, whose values are in main memory and may be read in place. */
function nativeBackend(): NativeBackend | undefined {
  return tf.getBackend() === 'native' ? (tf.backend() as NativeBackend) : undefined;
}

/** A tensor [n, ...] as a matrix of n rows, for reading at once; a copy only where the backend keeps values elsewhere. */
export function rowsOf(name: string, t: tf.Tensor): Matrix {
  if (!(t instanceof tf.Tensor) || t.rank < 2 || t.size === 0 || t.dtype !== 'float32') {
    const received = t instanceof tf.Tensor ? `${t.dtype} [${t.shape}]` : t;
    throw invalid(name, 'a float32 tensor [n, ...] that is not empty', received);
  }
  const native = nativeBackend();
  // The engine moves a tensor that another backend holds; only then is dataSync's copy needed here.
  const inPlace = native?.data.has(t.dataId) ? native.floats(t) : undefined;
  const rows = t.shape[0];
  return { data: inPlace ?? (t.dataSync() as Float32Array), rows, cols: t.size / rows };
}

/** An array for a result of `shape`, and the tensor over it. */
export function resultLike<T extends tf.Tensor>(t: T): { out: Float32Array; tensor: () => T } {
  const out = nativeBackend()?.allocate(t.shape) ?? new Float32Array(t.size);
  return { out, tensor: () => tf.tensor(out, t.shape, 'float32') as T };
}
