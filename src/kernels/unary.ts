import {
  type AsyncKernelOptions,
  checkFloat32,
  checkFloat32Length,
  checkNumber,
  checkOneOf,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { UNARY_OPS, type UnaryArgs, type UnaryOp, unaryReference } from './reference/unary.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';
import { lengthOf } from './typed-arrays.js';

export { UNARY_OPS, type UnaryOp } from './reference/unary.js';

export interface UnaryOptions extends KernelOptions {
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
export async function unary(options: UnaryOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link unary}, at once. */
export function unarySync(options: UnaryOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: UnaryOptions): KernelCall<UnaryArgs, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'op', 'x', 'alpha', 'beta', 'out']);
  const { op, x, alpha = 0, beta = 0 } = options;
  checkOneOf('op', op, UNARY_OPS);
  checkFloat32('x', x);
  checkNumber('alpha', alpha);
  checkNumber('beta', beta);
  const size = lengthOf(x);
  const out = options.out ?? new Float32Array(size);
  checkFloat32Length('out', out, size);
  const args = { op: UNARY_OPS.indexOf(op), size, x, alpha, beta, out };
  return {
    kernel: 'unary',
    options,
    args,
    reference: unaryReference,
    inputs: {},
    result: () => args.out,
    inPlace: ['x'],
  };
}
