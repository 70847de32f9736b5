import { invalid } from '../errors.js';
import { allocate } from './allocate.js';
import { checkInt32Length } from './integers.js';
import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  checkOneOf,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { ARG_REDUCE_OPS, type ArgReduceArgs, type ArgReduceOp, argReduceReference } from './reference/arg-reduce.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export { ARG_REDUCE_OPS, type ArgReduceOp } from './reference/arg-reduce.js';

export interface ArgReduceOptions extends KernelOptions {
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
export async function argReduce(options: ArgReduceOptions & AsyncKernelOptions): Promise<Int32Array> {
  return runAsync(prepare(options));
}

/** {@link argReduce}, at once. */
export function argReduceSync(options: ArgReduceOptions): Int32Array {
  return runSync(prepare(options));
}

function prepare(options: ArgReduceOptions): KernelCall<ArgReduceArgs, Int32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'op', 'x', 'outer', 'reduced', 'inner', 'out']);
  const { op, x, outer, reduced, inner } = options;
  checkOneOf('op', op, ARG_REDUCE_OPS);
  for (const [name, value] of Object.entries({ outer, reduced, inner })) checkCount(name, value);
  if (reduced >= 2 ** 31) throw invalid('reduced', 'less than 2^31', reduced);
  checkFloat32Length('x', x, outer * reduced * inner);
  const out = options.out ?? allocate(Int32Array, outer * inner, 'outer');
  checkInt32Length('out', out, outer * inner);
  const args = { op: ARG_REDUCE_OPS.indexOf(op), x, outer, reduced, inner, out };
  return { kernel: 'argReduce', options, args, reference: argReduceReference, inputs: {}, result: () => args.out };
}
