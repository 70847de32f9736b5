import { allocate } from './allocate.js';
import { checkInt32Length } from './integers.js';
import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  checkNumber,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
  unshared,
} from './matrix.js';
import { type OneHotArgs, oneHotReference } from './reference/one-hot.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export interface OneHotOptions extends KernelOptions {
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
export async function oneHot(options: OneHotOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link oneHot}, at once. */
export function oneHotSync(options: OneHotOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: OneHotOptions): KernelCall<OneHotArgs, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'indices', 'rows', 'depth', 'on', 'off', 'out']);
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
  return {
    kernel: 'oneHot',
    options,
    args,
    reference: oneHotReference,
    inputs: {},
    result: () => args.out,
  };
}
