import { allocate } from './allocate.js';
import { type BroadcastOperands, operandLayout } from './broadcast.js';
import {
  type AsyncKernelOptions,
  checkFloat32Length,
  checkOneOf,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { BINARY_OPS, type BinaryArgs, type BinaryOp, binaryReference } from './reference/binary.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export { BINARY_OPS, type BinaryOp } from './reference/binary.js';

export interface BinaryOptions extends KernelOptions, BroadcastOperands {
  op: BinaryOp;
  out?: Float32Array;
}

/**
 * out[i,j,k,l] = op(a[i,j,k,l], b[i,j,k,l]) with broadcasting by strides. maximum and minimum give NaN where either is NaN;
 * reluGrad is b > 0 ? a : 0; pow is Math.pow.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as strides that leave an operand.
 */
export async function binary(options: BinaryOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link binary}, at once. */
export function binarySync(options: BinaryOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: BinaryOptions): KernelCall<BinaryArgs, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'op', 'a', 'b', 'shape', 'aStrides', 'bStrides', 'out']);
  const { op, a, b } = options;
  checkOneOf('op', op, BINARY_OPS);
  const { layout, size } = operandLayout(options);
  const out = options.out ?? allocate(Float32Array, size, 'shape');
  checkFloat32Length('out', out, size);
  const args = { op: BINARY_OPS.indexOf(op), a, b, layout, out };
  return {
    kernel: 'binary',
    options,
    args,
    reference: binaryReference,
    inputs: {},
    result: () => args.out,
  };
}
