import * as tf from '#tf';
import { softmax } from '../../../kernels/network/index.js';
import type { NativeKernel } from '../kernel.js';

/** Over the last axis, the only one that tfjs knows. */
const softmaxKernel: NativeKernel<tf.SoftmaxAttrs> = {
  kernelName: 'Softmax',
  accepts: ({ inputs: { logits }, attrs: { dim } }) =>
    logits.shape.length > 0 && (dim === -1 || dim === logits.shape.length - 1),
  run({ inputs: { logits }, backend }) {
    const cols = logits.shape.at(-1)!;
    const sizes = { rows: tf.util.sizeFromShape(logits.shape) / cols, cols };
    const out = softmax({ x: backend.floats(logits), ...sizes, out: backend.allocate(logits.shape) });
    return backend.output(logits.shape, out);
  },
};

export const softmaxKernels: NativeKernel[] = [softmaxKernel];
