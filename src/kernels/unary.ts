import { checkFloat32, checkOneOf, checkOptions, checkOut, type KernelOptions } from './matrix.js';
import { UNARY_OPS, type UnaryArgs, type UnaryOp, unaryReference } from './reference/unary.js';
import { runSync } from './run-kernel.js';

export type { UnaryOp } from './reference/unary.js';

export interface UnaryOptions extends Pick<KernelOptions, 'device'> {
  op: UnaryOp;
  x: Float32Array;
  /** leakyRelu: slope below 0; step: value at and below 0; clip: lower bound. Default 0. */
  alpha?: number;
  /** clip: upper bound. Default 0. */
  beta?: number;
  /** Where the result goes; may be `x`. */
  out?: Float32Array;
}

/**
 * op of every element. NaN gives NaN (sign(NaN) = 0).
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function unarySync(options: UnaryOptions): Float32Array {
  checkOptions(options, ['device', 'op', 'x', 'alpha', 'beta', 'out']);
  const { op, x, alpha = 0, beta = 0, device } = options;
  checkOneOf('op', op, UNARY_OPS);
  checkFloat32('x', x);
  const out = options.out ?? new Float32Array(x.length);
  checkOut(out, x.length);
  const args: UnaryArgs = { op: UNARY_OPS.indexOf(op), size: x.length, x, alpha, beta, out };
  runSync({ kernel: 'unary', args, reference: unaryReference, inputs: {} }, { device, checkFinite: false });
  return out;
}
