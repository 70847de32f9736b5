import * as tf from '#tf';
import { type ReduceOp, reduce } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';

interface ReductionAttrs {
  axis?: number | number[];
  reductionIndices?: number | number[];
  keepDims: boolean;
}

const operations: Record<string, ReduceOp> = { Max: 'max', Mean: 'mean', Min: 'min', Sum: 'sum' };

export const reductionKernels: NativeKernel[] = Object.entries(operations).map(([kernelName, op]) => ({
  kernelName,
  accepts: (call: KernelCall<ReductionAttrs>) => asOneBlock(call.inputs.x.shape, axesOf(call)) !== undefined,
  run(call: KernelCall<ReductionAttrs>) {
    const { backend, attrs } = call;
    const { x } = call.inputs;
    const axes = axesOf(call);
    const [plain] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = attrs.keepDims ? tf.backend_util.expandShapeToKeepDim(plain, axes) : plain;
    const out = backend.allocate(shape);
    return backend.output(shape, reduce({ op, x: backend.floats(x), ...asOneBlock(x.shape, axes)!, out }));
  },
}));

function axesOf({ inputs, attrs }: KernelCall<ReductionAttrs>): number[] {
  return tf.util.parseAxisParam((attrs.axis ?? attrs.reductionIndices)!, inputs.x.shape).sort((p, q) => p - q);
}

/** The shape as [outer, reduced, inner] where the reduced axes are neighbours (but for axes of size 1). */
export function asOneBlock(shape: number[], axes: number[]) {
  const block = { outer: 1, reduced: 1, inner: 1 };
  let ended = false;
  let begun = false;
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    if (axes.includes(axis)) {
      if (ended) return undefined;
      begun = true;
      block.reduced *= size;
    } else if (begun) {
      ended = true;
      block.inner *= size;
    } else {
      block.outer *= size;
    }
  }
  return block;
}
