import * as tf from '#tf';
import { type CompareOp, compareValues, type LogicalOp, logical } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { broadcast } from './broadcast.js';

const comparisons: Record<string, CompareOp> = {
  Equal: 'equal',
  Greater: 'greater',
  GreaterEqual: 'greaterEqual',
  Less: 'less',
  LessEqual: 'lessEqual',
  NotEqual: 'notEqual',
};

const compareKernels: NativeKernel[] = Object.entries(comparisons).map(([kernelName, op]) => ({
  kernelName,
  accepts: ({ inputs: { a, b } }: KernelCall) => broadcast(a.shape, b.shape) !== undefined,
  run({ inputs: { a, b }, backend }: KernelCall) {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const operands = { a: backend.floats(a), b: backend.floats(b), ...broadcast(a.shape, b.shape)! };
    const out = compareValues({ op, ...operands, out: backend.allocateFlags(shape) });
    return backend.makeTensorInfo(shape, 'bool', out);
  },
}));

const connectives: Record<string, LogicalOp> = { LogicalAnd: 'and', LogicalOr: 'or' };

const logicalKernels: NativeKernel[] = Object.entries(connectives).map(([kernelName, op]) => ({
  kernelName,
  dtypes: { a: 'bool', b: 'bool' },
  accepts: ({ inputs: { a, b } }: KernelCall) => tf.util.arraysEqual(a.shape, b.shape),
  run({ inputs: { a, b }, backend }: KernelCall) {
    const out = backend.allocateFlags(a.shape);
    logical({ op, a: backend.booleans(a), b: backend.booleans(b), out });
    return backend.makeTensorInfo(a.shape, 'bool', out);
  },
}));

const logicalNot: NativeKernel = {
  kernelName: 'LogicalNot',
  dtypes: { x: 'bool' },
  run({ inputs: { x }, backend }) {
    const out = logical({ op: 'not', a: backend.booleans(x), out: backend.allocateFlags(x.shape) });
    return backend.makeTensorInfo(x.shape, 'bool', out);
  },
};

export const comparisonKernels: NativeKernel[] = [...compareKernels, ...logicalKernels, logicalNot];
