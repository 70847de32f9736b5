import { invalid } from '../errors.js';
import { checkInt32Length } from './integers.js';
import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { type TopKArgs, topKReference } from './reference/top-k.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export interface TopKOptions extends KernelOptions {
  /** [rows, cols] */
  x: Float32Array;
  rows: number;
  /** Less than 2^31. */
  cols: number;
  /** At most `cols`. */
  k: number;
  out?: LargestValues;
}

export interface LargestValues {
  /** [rows, k], the largest first. */
  values: Float32Array;
  /** [rows, k]: their columns. */
  indices: Int32Array;
}

/**
 * The k largest values of each row; the lowest column first at ties, NaN before every number.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export async function topK(options: TopKOptions & AsyncKernelOptions): Promise<LargestValues> {
  return runAsync(prepare(options));
}

/** {@link topK}, at once. */
export function topKSync(options: TopKOptions): LargestValues {
  return runSync(prepare(options));
}

function prepare(options: TopKOptions): KernelCall<TopKArgs, LargestValues> {
  const out = ['values', 'indices'];
  options = readOptions(options, [...KERNEL_OPTIONS, 'x', 'rows', 'cols', 'k', 'out'], { out });
  const { x, rows, cols, k } = options;
  for (const [name, value] of Object.entries({ rows, cols, k })) checkCount(name, value);
  if (cols >= 2 ** 31) throw invalid('cols', 'less than 2^31', cols);
  if (k > cols) throw invalid('k', `at most ${cols}`, k);
  checkFloat32Length('x', x, rows * cols);
  const { values, indices } = options.out ?? { values: new Float32Array(rows * k), indices: new Int32Array(rows * k) };
  checkFloat32Length('out.values', values, rows * k);
  checkInt32Length('out.indices', indices, rows * k);
  const args = { x, rows, cols, k, values, indices };
  return {
    kernel: 'topK',
    options,
    args,
    reference: topKReference,
    inputs: {},
    result: () => ({ values: args.values, indices: args.indices }),
    names: { values: 'out.values', indices: 'out.indices' },
  };
}
