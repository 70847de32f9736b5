import * as tf from '#tf';
import { type ArgReduceOp, argReduce, topK } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { asOneBlock } from './reduce.js';

const operations: Record<string, ArgReduceOp> = { ArgMax: 'max', ArgMin: 'min' };

const argKernels: NativeKernel[] = Object.entries(operations).map(([kernelName, op]) => ({
  kernelName,
  accepts: ({ inputs: { x }, attrs: { axis } }: KernelCall<tf.ArgMaxAttrs>) =>
    tf.util.parseAxisParam(axis, x.shape).length === 1,
  run({ inputs: { x }, attrs: { axis }, backend }: KernelCall<tf.ArgMaxAttrs>) {
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const shape = x.shape.filter((_, at) => at !== axes[0]);
    const out = argReduce({ op, x: backend.floats(x), ...asOneBlock(x.shape, axes)! });
    return backend.makeTensorInfo(shape, 'int32', out);
  },
}));

const topKKernel: NativeKernel<tf.TopKAttrs> = {
  kernelName: 'TopK',
  accepts: ({ inputs: { x }, attrs: { k } }) => x.shape.length > 0 && k >= 1 && k <= x.shape.at(-1)!,
  run({ inputs: { x }, attrs: { k }, backend }) {
    const [cols, ...outer] = [...x.shape].reverse();
    const shape = [...outer.reverse(), k];
    const rows = tf.util.sizeFromShape(x.shape) / cols;
    const { values, indices } = topK({ x: backend.floats(x), rows, cols, k });
    return [backend.output(shape, values), backend.makeTensorInfo(shape, 'int32', indices)];
  },
};

export const rankingKernels: NativeKernel[] = [...argKernels, topKKernel];
