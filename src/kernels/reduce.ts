import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  checkOneOf,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { REDUCE_OPS, type ReduceArgs, type ReduceOp, reduceReference } from './reference/reduce.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export { REDUCE_OPS, type ReduceOp } from './reference/reduce.js';

export interface ReduceOptions extends KernelOptions {
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
export async function reduce(options: ReduceOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link reduce}, at once. */
export function reduceSync(options: ReduceOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: ReduceOptions): KernelCall<ReduceArgs, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'op', 'x', 'outer', 'reduced', 'inner', 'out']);
  const { op, x, outer, reduced, inner } = options;
  checkOneOf('op', op, REDUCE_OPS);
  for (const [name, value] of Object.entries({ outer, reduced, inner })) checkCount(name, value);
  checkFloat32Length('x', x, outer * reduced * inner);
  const out = options.out ?? new Float32Array(outer * inner);
  checkFloat32Length('out', out, outer * inner);
  const args = { op: REDUCE_OPS.indexOf(op), x, outer, reduced, inner, out };
  return { kernel: 'reduce', options, args, reference: reduceReference, inputs: {}, result: () => args.out };
}
