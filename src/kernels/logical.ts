import { invalid } from '../errors.js';
import { checkUint8, checkUint8Length } from './integers.js';
import { type AsyncKernelOptions, checkOneOf, KERNEL_OPTIONS, type KernelOptions, readOptions } from './matrix.js';
import { LOGICAL_OPS, type LogicalArgs, type LogicalOp, logicalReference } from './reference/logical.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';
import { lengthOf } from './typed-arrays.js';

export { LOGICAL_OPS, type LogicalOp } from './reference/logical.js';

export interface LogicalOptions extends KernelOptions {
  op: LogicalOp;
  /** Flags, each 0 or 1. */
  a: Uint8Array;
  /** As long as `a`; absent for not. */
  b?: Uint8Array;
  out?: Uint8Array;
}

/**
 * out[i] = op(a[i], b[i]) of flags that are 0 or 1.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export async function logical(options: LogicalOptions & AsyncKernelOptions): Promise<Uint8Array> {
  return runAsync(prepare(options));
}

/** {@link logical}, at once. */
export function logicalSync(options: LogicalOptions): Uint8Array {
  return runSync(prepare(options));
}

function prepare(options: LogicalOptions): KernelCall<LogicalArgs, Uint8Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'op', 'a', 'b', 'out']);
  const { op, a, b } = options;
  checkOneOf('op', op, LOGICAL_OPS);
  checkUint8('a', a);
  const size = lengthOf(a);
  if (op !== 'not') checkUint8Length('b', b, size);
  else if (b !== undefined) throw invalid('b', 'nothing', b);
  const out = options.out ?? new Uint8Array(size);
  checkUint8Length('out', out, size);
  const args = { op: LOGICAL_OPS.indexOf(op), a, b, size, out };
  return { kernel: 'logical', options, args, reference: logicalReference, inputs: {}, result: () => args.out };
}
