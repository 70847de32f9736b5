import * as tf from '#tf';
import { invalid } from '../../errors.js';

const KERNEL = 'UnitRows';

/** Rows of x [n, d] scaled to unit Euclidean length; a zero row stays zero, with a finite gradient. */
export function unitRows(x: tf.Tensor2D): tf.Tensor2D {
  if (!(x instanceof tf.Tensor) || x.rank !== 2) throw invalid('x', 'a tensor [n, d]', shapeOrValue(x));
  if (!tf.getKernel(KERNEL, tf.getBackend())) return scaled(x);
  return tf.engine().runKernel(KERNEL, { x } as unknown as tf.NamedTensorMap) as tf.Tensor2D;
}

function shapeOrValue(x: unknown): unknown {
  return x instanceof tf.Tensor ? `shape [${x.shape.join(', ')}]` : x;
}

/** By differentiable operations. */
function scaled(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), 1e-24))));
}

tf.registerGradient({
  kernelName: KERNEL,
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({
    x: () => {
      if (tf.engine().state.gradientDepth > 0) return tf.grad((at) => scaled(at as tf.Tensor2D))(x, dy as tf.Tensor);
      return tf.engine().runKernel('UnitRowsGrad', { dy, x } as unknown as tf.NamedTensorMap) as tf.Tensor;
    },
  }),
});
