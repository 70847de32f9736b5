import { invalid } from '../errors.js';
import { checkCount, checkFloat32, checkOneOf, checkOptions, checkOut, type KernelOptions } from './matrix.js';
import { REDUCE_OPS, type ReduceArgs, type ReduceOp, reduceReference } from './reference/reduce.js';
import { runSync } from './run-kernel.js';

export type { ReduceOp } from './reference/reduce.js';

export interface ReduceOptions extends Pick<KernelOptions, 'device'> {
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
export function reduceSync(options: ReduceOptions): Float32Array {
  checkOptions(options, ['device', 'op', 'x', 'outer', 'reduced', 'inner', 'out']);
  const { op, x, outer, reduced, inner, device } = options;
  checkOneOf('op', op, REDUCE_OPS);
  checkCount('outer', outer);
  checkCount('reduced', reduced);
  checkCount('inner', inner);
  checkFloat32('x', x);
  const size = outer * reduced * inner;
  if (x.length !== size) throw invalid('x', `${size} values (outer x reduced x inner)`, x);
  const out = options.out ?? new Float32Array(outer * inner);
  checkOut(out, outer * inner);
  const args: ReduceArgs = { op: REDUCE_OPS.indexOf(op), x, outer, reduced, inner, out };
  runSync({ kernel: 'reduce', args, reference: reduceReference, inputs: {} }, { device, checkFinite: false });
  return out;
}
