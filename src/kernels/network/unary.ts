import { checkFloat32, checkFloat32Length, checkNumber, checkOneOf, readOptions } from '../matrix.js';
import { lengthOf } from '../typed-arrays.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const UNARY_OPS = [
  'abs',
  'clip',
  'exp',
  'leakyRelu',
  'log',
  'log1p',
  'neg',
  'reciprocal',
  'relu',
  'relu6',
  'rsqrt',
  'sigmoid',
  'sign',
  'sqrt',
  'square',
  'step',
  'tanh',
] as const;

export type UnaryOp = (typeof UNARY_OPS)[number];

export interface UnaryArgs {
  /** Index into UNARY_OPS. */
  op: number;
  size: number;
  x: Float32Array;
  alpha: number;
  beta: number;
  out: Float32Array;
}

export interface UnaryOptions {
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
export function unary(options: UnaryOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: UnaryOptions): NetworkCall<UnaryArgs, Float32Array> {
  options = readOptions(options, ['op', 'x', 'alpha', 'beta', 'out']);
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
    result: () => args.out,
    inPlace: ['x'],
  };
}
