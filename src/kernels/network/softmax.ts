import { checkCount, checkFloat32Length, readOptions } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface SoftmaxArgs {
  x: Float32Array;
  rows: number;
  cols: number;
  out: Float32Array;
}

export interface SoftmaxOptions {
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
export function softmax(options: SoftmaxOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: SoftmaxOptions): NetworkCall<SoftmaxArgs, Float32Array> {
  options = readOptions(options, ['x', 'rows', 'cols', 'out']);
  const { x, rows, cols } = options;
  checkCount('rows', rows);
  checkCount('cols', cols);
  checkFloat32Length('x', x, rows * cols);
  const out = options.out ?? new Float32Array(rows * cols);
  checkFloat32Length('out', out, rows * cols);
  const args = { x, rows, cols, out };
  const result = () => args.out;
  return { kernel: 'softmax', options, args, result, inPlace: ['x'] };
}
