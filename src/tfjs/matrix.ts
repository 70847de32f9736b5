import * as tf from '#tf';
import { invalid } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import { checkMatrix } from '../kernels/matrix.js';

/** The rows of a [rows, cols] float32 tensor as a matrix; on backends in main memory without a copy. */
export async function toMatrix(t: tf.Tensor2D): Promise<Matrix> {
  if (!(t instanceof tf.Tensor) || t.rank !== 2 || t.dtype !== 'float32') {
    throw invalid('tensor', 'a float32 tensor [rows, cols]', t instanceof tf.Tensor ? `${t.dtype} [${t.shape}]` : t);
  }
  const [rows, cols] = t.shape;
  return { data: (await t.data()) as Float32Array, rows, cols };
}

/** A matrix (not a batch of them) as a tensor [rows, cols]. */
export function fromMatrix(matrix: Matrix): tf.Tensor2D {
  checkMatrix('matrix', matrix);
  const { data, rows, cols, batch = 1 } = matrix;
  if (batch !== 1) throw invalid('matrix', 'one matrix', `a batch of ${batch}`);
  return tf.tensor2d(data, [rows, cols], 'float32');
}
