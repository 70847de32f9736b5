import * as tf from '#tf';
import { invalid } from '../errors.js';
import { allocate } from '../kernels/allocate.js';
import type { Matrix } from '../kernels/index.js';
import type { NativeBackend } from './native/backend.js';
import type { TensorPath } from './tensor-kernel-calls.js';

/** The backend in use where it is the addon's, whose values are in main memory and may be read in place. */
function nativeBackend(): NativeBackend | undefined {
  return tf.getBackend() === 'native' ? (tf.backend() as NativeBackend) : undefined;
}

/** How kernels over {@link rowsOf} reach the values of the backend in use. */
export function memoryPath(): TensorPath {
  return nativeBackend() ? 'in place' : 'copies';
}

/** Throws unless `t` is a float32 tensor [n, ...] with values in it. */
export function checkRows(name: string, t: tf.Tensor): void {
  if (t instanceof tf.Tensor && t.rank >= 2 && t.size > 0 && t.dtype === 'float32') return;
  const received = t instanceof tf.Tensor ? `${t.dtype} [${t.shape}]` : t;
  throw invalid(name, 'a float32 tensor [n, ...] that is not empty', received);
}

/** A tensor [n, ...] as a matrix of n rows, for reading at once; a copy only where the backend keeps values elsewhere. */
export function rowsOf(name: string, t: tf.Tensor): Matrix {
  checkRows(name, t);
  const rows = t.shape[0];
  return { data: valuesOf(t), rows, cols: t.size / rows };
}

/** A tensor [n, d] or [batch, n, d] as a matrix, as {@link rowsOf}. */
export function matrixOf(name: string, t: tf.Tensor): Matrix {
  checkMatrixTensor(name, t);
  const [batch, rows, cols] = t.rank === 2 ? [undefined, ...t.shape] : t.shape;
  return { data: valuesOf(t), rows: rows!, cols: cols!, ...(batch !== undefined && { batch }) };
}

/** Throws unless `t` is a float32 tensor [n, d] or [batch, n, d] with values in it. */
export function checkMatrixTensor(name: string, t: tf.Tensor): void {
  checkRows(name, t);
  if (t.rank > 3) throw invalid(name, 'a tensor [n, d] or [batch, n, d]', `[${t.shape}]`);
}

function valuesOf(t: tf.Tensor): Float32Array {
  const native = nativeBackend();
  // The engine moves a tensor that another backend holds; only then is dataSync's copy needed here.
  const inPlace = native?.data.has(t.dataId) ? native.floats(t) : undefined;
  return inPlace ?? (t.dataSync() as Float32Array);
}

/** An array for a result of `shape`, and the tensor over it. */
export function result<T extends tf.Tensor>(shape: number[]): { out: Float32Array; tensor: () => T } {
  const size = shape.reduce((product, length) => product * length, 1);
  const out = nativeBackend()?.allocate(shape) ?? allocate(Float32Array, size, 'shape');
  return { out, tensor: () => tf.tensor(out, shape, 'float32') as T };
}
