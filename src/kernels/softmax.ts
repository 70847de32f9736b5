import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { type SoftmaxArgs, softmaxReference } from './reference/softmax.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export interface SoftmaxOptions extends KernelOptions {
  /** [rows, cols] */
  x: Float32Array;
  rows: number;
  cols: number;
  /** Where the result goes; may be `x`. */
  out?: Float32Array;
}

/**
 * out[r,c] = e^x[r,c] / Σ_c e^x[r,c], from which the largest of the row is taken first. NaN throughout in a row that holds NaN or
 * Infinity, or only -Infinity.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export async function softmax(options: SoftmaxOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link softmax}, at once. */
export function softmaxSync(options: SoftmaxOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: SoftmaxOptions): KernelCall<SoftmaxArgs, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'x', 'rows', 'cols', 'out']);
  const { x, rows, cols } = options;
  checkCount('rows', rows);
  checkCount('cols', cols);
  checkFloat32Length('x', x, rows * cols);
  const out = options.out ?? new Float32Array(rows * cols);
  checkFloat32Length('out', out, rows * cols);
  const args = { x, rows, cols, out };
  const result = () => args.out;
  return { kernel: 'softmax', options, args, reference: softmaxReference, inputs: {}, result, inPlace: ['x'] };
}
