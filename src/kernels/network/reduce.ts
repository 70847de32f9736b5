import { checkCount, checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const REDUCE_OPS = ['max', 'mean', 'min', 'sum'] as const;

export type ReduceOp = (typeof REDUCE_OPS)[number];

export interface ReduceArgs {
  /** Index into REDUCE_OPS. */
  op: number;
  x: Float32Array;
  outer: number;
  reduced: number;
  inner: number;
  out: Float32Array;
}

export interface ReduceOptions {
  op: ReduceOp;
  /** [outer, reduced, inner] */
  x: Float32Array;
  outer: number;
  reduced: number;
  inner: number;
  /** [outer, inner] */
  out?: Float32Array;
}

/**
 * out[o,i] = op over r of x[o,r,i]. Sums are of fixed blocks, merged in order in double; max and min of a NaN are NaN.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function reduce(options: ReduceOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: ReduceOptions): NetworkCall<ReduceArgs, Float32Array> {
  options = readOptions(options, ['op', 'x', 'outer', 'reduced', 'inner', 'out']);
  const { op, x, outer, reduced, inner } = options;
  checkOneOf('op', op, REDUCE_OPS);
  for (const [name, value] of Object.entries({ outer, reduced, inner })) checkCount(name, value);
  checkFloat32Length('x', x, outer * reduced * inner);
  const out = options.out ?? new Float32Array(outer * inner);
  checkFloat32Length('out', out, outer * inner);
  const args = { op: REDUCE_OPS.indexOf(op), x, outer, reduced, inner, out };
  return { kernel: 'reduce', options, args, result: () => args.out };
}
