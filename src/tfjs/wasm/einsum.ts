import * as tf from '#tf';
import { compose } from '../compose.js';

/** Operands are aligned by transposes and unit dimensions, multiplied, and summed over one index after another. */
export function einsumOnWasm({ inputs, backend, attrs }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo {
  const { equation } = attrs as unknown as tf.EinsumAttrs;
  const tensors = Object.values(inputs) as tf.Tensor[];
  const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length);
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors);
  const { path, steps } = tf.backend_util.getEinsumComputePath(summedDims, idDims);
  return compose('wasm', backend as tf.KernelBackend, (run) => {
    let dims = allDims.length;
    let product: tf.TensorInfo | undefined;
    steps.forEach((terms, step) => {
      for (const term of terms) {
        const { permutationIndices, expandDims } = tf.backend_util.getEinsumPermutation(dims, idDims[term]);
        const turned = run('Transpose', { x: tensors[term] }, { perm: permutationIndices });
        const shape = turned.shape.slice();
        for (const axis of expandDims) shape.splice(axis, 0, 1);
        const operand = run('Reshape', { x: turned }, { shape });
        product = product ? run('Multiply', { a: operand, b: product }) : operand;
      }
      if (step === steps.length - 1) return;
      if (path[step] >= 0) {
        product = run('Sum', { x: product! }, { axis: [path[step] - (allDims.length - dims)], keepDims: false });
      }
      dims--;
    });
    return product!;
  });
}
