import { UNARY_OPS, type UnaryArgs, type UnaryOp } from '../../../../src/kernels/network/unary.js';

const operations: Record<UnaryOp, (x: number, alpha: number, beta: number) => number> = {
  abs: Math.abs,
  clip: (x, low, high) => Math.min(high, Math.max(low, x)),
  exp: Math.exp,
  leakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  log: Math.log,
  log1p: Math.log1p,
  neg: (x) => -x,
  reciprocal: (x) => 1 / x,
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  rsqrt: (x) => 1 / Math.sqrt(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  sign: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  step: (x, alpha) => (Number.isNaN(x) ? x : x > 0 ? 1 : alpha),
  tanh: Math.tanh,
};

/** out[i] = op(x[i]) */
export function* unaryReference({ op, size, x, alpha, beta, out }: UnaryArgs): Generator<void> {
  const operation = operations[UNARY_OPS[op]];
  for (let i = 0; i < size; i++) out[i] = operation(x[i], alpha, beta);
  yield;
}
