import { EatDmlError, invalid } from '../errors.js';
import {
  type AsyncKernelOptions,
  checkFloat32,
  checkFloat32Length,
  checkOneOf,
  checkOptions,
  KERNEL_OPTIONS,
  type KernelOptions,
} from './matrix.js';
import { BINARY_OPS, type BinaryArgs, type BinaryOp, binaryReference } from './reference/binary.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export { BINARY_OPS, type BinaryOp } from './reference/binary.js';

export interface BinaryOptions extends KernelOptions {
  op: BinaryOp;
  a: Float32Array;
  b: Float32Array;
  /** Of the result; 4 axes, the first ones 1 where fewer are needed. */
  shape: readonly number[];
  /** Elements of `a` from one index of an axis to the next; 0 repeats it along the axis. The last is 0 or 1. */
  aStrides: readonly number[];
  bStrides: readonly number[];
  out?: Float32Array;
}

/**
 * out[i,j,k,l] = op(a[i,j,k,l], b[i,j,k,l]) with broadcasting by strides. maximum and minimum give NaN where either is NaN;
 * reluGrad is b > 0 ? a : 0.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as strides that leave an operand.
 */
export async function binary(options: BinaryOptions & AsyncKernelOptions): Promise<Float32Array> {
  const call = prepare(options);
  await runAsync(call, options);
  return call.args.out;
}

/** {@link binary}, at once. */
export function binarySync(options: BinaryOptions): Float32Array {
  const call = prepare(options);
  runSync(call, options);
  return call.args.out;
}

function prepare(options: BinaryOptions): KernelCall<BinaryArgs> {
  checkOptions(options, [...KERNEL_OPTIONS, 'op', 'a', 'b', 'shape', 'aStrides', 'bStrides', 'out']);
  const { op, a, b, shape, aStrides, bStrides } = options;
  checkOneOf('op', op, BINARY_OPS);
  checkFloat32('a', a);
  checkFloat32('b', b);
  if (shape.length !== 4 || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw invalid('shape', '4 positive integers', JSON.stringify(shape));
  }
  checkStrides('aStrides', aStrides, shape, a.length);
  checkStrides('bStrides', bStrides, shape, b.length);
  const size = shape[0] * shape[1] * shape[2] * shape[3];
  const out = options.out ?? new Float32Array(size);
  checkFloat32Length('out', out, size);
  const layout = Float64Array.of(...shape, ...aStrides, ...bStrides);
  return {
    kernel: 'binary',
    args: { op: BINARY_OPS.indexOf(op), a, b, layout, out },
    reference: binaryReference,
    inputs: {},
  };
}

/** The strides reach exactly over the operand. */
function checkStrides(name: string, strides: readonly number[], shape: readonly number[], length: number): void {
  const fits = strides.length === 4 && strides.every((s) => Number.isSafeInteger(s) && s >= 0) && strides[3] <= 1;
  if (!fits) throw invalid(name, '4 integers >= 0, the last 0 or 1', JSON.stringify(strides));
  const reached = strides.reduce((last, stride, axis) => last + (shape[axis] - 1) * stride, 1);
  if (reached === length) return;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${name} to reach over ${length} values but it reaches over ${reached}.`,
  );
}
