import * as tf from '#tf';
import { type BinaryOp, binary } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { broadcast } from './broadcast.js';

const operations: Record<string, BinaryOp> = {
  Add: 'add',
  Maximum: 'maximum',
  Minimum: 'minimum',
  Multiply: 'mul',
  Pow: 'pow',
  RealDiv: 'div',
  SquaredDifference: 'squaredDifference',
  Sub: 'sub',
};

/** dy where the activation let its operand pass, of whose result y is. */
const reluGrad: NativeKernel<{ activation: 'relu' | 'relu6' }> = {
  kernelName: 'ReluGrad',
  run({ inputs: { dy, y }, attrs, backend }) {
    const op = attrs.activation === 'relu6' ? 'relu6Grad' : 'reluGrad';
    const operands = { a: backend.floats(dy), b: backend.floats(y), ...broadcast(dy.shape, y.shape)! };
    return backend.output(y.shape, binary({ op, ...operands, out: backend.allocate(y.shape) }));
  },
};

/** relu(a + b) of one shape; its gradient is registered beside `sumRelu`. */
const sumRelu: NativeKernel = {
  kernelName: 'SumRelu',
  run({ inputs: { a, b }, backend }) {
    const operands = { a: backend.floats(a), b: backend.floats(b), ...broadcast(a.shape, b.shape)! };
    return backend.output(a.shape, binary({ op: 'addRelu', ...operands, out: backend.allocate(a.shape) }));
  },
};

const arithmeticKernels: NativeKernel[] = Object.entries(operations).map(([kernelName, op]) => ({
  kernelName,
  accepts: ({ inputs: { a, b } }: KernelCall) => broadcast(a.shape, b.shape) !== undefined,
  run({ inputs: { a, b }, backend }: KernelCall) {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const out = backend.allocate(shape);
    const operands = { a: backend.floats(a), b: backend.floats(b), ...broadcast(a.shape, b.shape)! };
    return backend.output(shape, binary({ op, ...operands, out }));
  },
}));

export const binaryKernels: NativeKernel[] = [...arithmeticKernels, reluGrad, sumRelu];
