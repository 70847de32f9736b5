import { type UnaryOp, unary } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';

interface UnaryAttrs {
  alpha?: number;
  clipValueMin?: number;
  clipValueMax?: number;
}

const operations: Record<string, UnaryOp> = {
  Abs: 'abs',
  ClipByValue: 'clip',
  Exp: 'exp',
  LeakyRelu: 'leakyRelu',
  Log: 'log',
  Log1p: 'log1p',
  Neg: 'neg',
  Reciprocal: 'reciprocal',
  Relu: 'relu',
  Relu6: 'relu6',
  Rsqrt: 'rsqrt',
  Sigmoid: 'sigmoid',
  Sign: 'sign',
  Sqrt: 'sqrt',
  Square: 'square',
  Step: 'step',
  Tanh: 'tanh',
};

export const unaryKernels: NativeKernel[] = Object.entries(operations).map(([kernelName, op]) => ({
  kernelName,
  run({ inputs: { x }, attrs, backend }: KernelCall<UnaryAttrs | undefined>) {
    const out = backend.allocate(x.shape);
    const alpha = attrs?.alpha ?? attrs?.clipValueMin;
    return backend.output(x.shape, unary({ op, x: backend.floats(x), alpha, beta: attrs?.clipValueMax, out }));
  },
}));
