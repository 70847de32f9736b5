import { allocate } from './allocate.js';
import { type BroadcastOperands, operandLayout } from './broadcast.js';
import { checkUint8Length } from './integers.js';
import { type AsyncKernelOptions, checkOneOf, KERNEL_OPTIONS, type KernelOptions, readOptions } from './matrix.js';
import {
  COMPARE_OPS,
  type CompareOp,
  type CompareValuesArgs,
  compareValuesReference,
} from './reference/compare-values.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export { COMPARE_OPS, type CompareOp } from './reference/compare-values.js';

export interface CompareValuesOptions extends KernelOptions, BroadcastOperands {
  op: CompareOp;
  out?: Uint8Array;
}

/**
 * out[i,j,k,l] = a[i,j,k,l] op b[i,j,k,l] ? 1 : 0 with broadcasting by strides. With a NaN only notEqual is 1.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as strides that leave an operand.
 */
export async function compareValues(options: CompareValuesOptions & AsyncKernelOptions): Promise<Uint8Array> {
  return runAsync(prepare(options));
}

/** {@link compareValues}, at once. */
export function compareValuesSync(options: CompareValuesOptions): Uint8Array {
  return runSync(prepare(options));
}

function prepare(options: CompareValuesOptions): KernelCall<CompareValuesArgs, Uint8Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'op', 'a', 'b', 'shape', 'aStrides', 'bStrides', 'out']);
  const { op, a, b } = options;
  checkOneOf('op', op, COMPARE_OPS);
  const { layout, size } = operandLayout(options);
  const out = options.out ?? allocate(Uint8Array, size, 'shape');
  checkUint8Length('out', out, size);
  const args = { op: COMPARE_OPS.indexOf(op), a, b, layout, out };
  return {
    kernel: 'compareValues',
    options,
    args,
    reference: compareValuesReference,
    inputs: {},
    result: () => args.out,
  };
}
