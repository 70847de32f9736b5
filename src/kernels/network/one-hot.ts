import { allocate } from '../allocate.js';
import { checkInt32Length } from '../integers.js';
import { checkCount, checkFloat32Length, checkNumber, readOptions, unshared } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface OneHotArgs {
  indices: Int32Array;
  rows: number;
  depth: number;
  on: number;
  off: number;
  out: Float32Array;
}

export interface OneHotOptions {
  /** [rows]; a row with one outside [0, depth) is all `off`. */
  indices: Int32Array;
  rows: number;
  depth: number;
  /** Default 1. */
  on?: number;
  /** Default 0. */
  off?: number;
  /** [rows, depth] */
  out?: Float32Array;
}

/**
 * out[r,c] = indices[r] = c ? on : off.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function oneHot(options: OneHotOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: OneHotOptions): NetworkCall<OneHotArgs, Float32Array> {
  options = readOptions(options, ['indices', 'rows', 'depth', 'on', 'off', 'out']);
  const { rows, depth, on = 1, off = 0 } = options;
  const indices = unshared(options.indices);
  checkCount('rows', rows);
  checkCount('depth', depth);
  checkInt32Length('indices', indices, rows);
  checkNumber('on', on);
  checkNumber('off', off);
  const out = options.out ?? allocate(Float32Array, rows * depth, 'depth');
  checkFloat32Length('out', out, rows * depth);
  const args = { indices, rows, depth, on, off, out };
  return { kernel: 'oneHot', options, args, result: () => args.out };
}
