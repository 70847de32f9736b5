import { invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkInt32Length } from '../integers.js';
import { checkCount, checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const ARG_REDUCE_OPS = ['max', 'min'] as const;

export type ArgReduceOp = (typeof ARG_REDUCE_OPS)[number];

export interface ArgReduceArgs {
  /** Index into ARG_REDUCE_OPS. */
  op: number;
  x: Float32Array;
  outer: number;
  reduced: number;
  inner: number;
  out: Int32Array;
}

export interface ArgReduceOptions {
  op: ArgReduceOp;
  /** [outer, reduced, inner] */
  x: Float32Array;
  outer: number;
  /** Less than 2^31. */
  reduced: number;
  inner: number;
  /** [outer, inner] */
  out?: Int32Array;
}

/**
 * out[o,i] = the r of the largest or smallest x[o,r,i], the lowest at ties. A NaN is passed over, but one at r = 0 gives 0.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function argReduce(options: ArgReduceOptions, run: NetworkRun = runNative): Int32Array {
  return run(prepare(options));
}

function prepare(options: ArgReduceOptions): NetworkCall<ArgReduceArgs, Int32Array> {
  options = readOptions(options, ['op', 'x', 'outer', 'reduced', 'inner', 'out']);
  const { op, x, outer, reduced, inner } = options;
  checkOneOf('op', op, ARG_REDUCE_OPS);
  for (const [name, value] of Object.entries({ outer, reduced, inner })) checkCount(name, value);
  if (reduced >= 2 ** 31) throw invalid('reduced', 'less than 2^31', reduced);
  checkFloat32Length('x', x, outer * reduced * inner);
  const out = options.out ?? allocate(Int32Array, outer * inner, 'outer');
  checkInt32Length('out', out, outer * inner);
  const args = { op: ARG_REDUCE_OPS.indexOf(op), x, outer, reduced, inner, out };
  return { kernel: 'argReduce', options, args, result: () => args.out };
}
