import * as tf from '#tf';
import { passed } from './conv-relu.js';

const KERNEL = 'SumRelu';

/** relu(a + b), of one shape; differentiable in both. Where the backend has it as one kernel, the sum is never written. */
export function sumRelu<T extends tf.Tensor>(a: T, b: T): T {
  if (!tf.getKernel(KERNEL, tf.getBackend())) return tf.relu(tf.add(a, b));
  return tf.engine().runKernel(KERNEL, { a, b } as unknown as tf.NamedTensorMap) as T;
}

tf.registerGradient({
  kernelName: KERNEL,
  outputsToSave: [true],
  gradFunc: (dy, saved) => {
    const dz = passed(dy as tf.Tensor, saved[0]);
    return { a: () => dz, b: () => dz };
  },
});
