import { invalid } from '../../errors.js';
import { checkInt32Length } from '../integers.js';
import { checkCount, checkFloat32Length, readOptions } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface TopKArgs {
  x: Float32Array;
  rows: number;
  cols: number;
  k: number;
  values: Float32Array;
  indices: Int32Array;
}

export interface TopKOptions {
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
export function topK(options: TopKOptions, run: NetworkRun = runNative): LargestValues {
  return run(prepare(options));
}

function prepare(options: TopKOptions): NetworkCall<TopKArgs, LargestValues> {
  const out = ['values', 'indices'];
  options = readOptions(options, ['x', 'rows', 'cols', 'k', 'out'], { out });
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
    result: () => ({ values: args.values, indices: args.indices }),
    names: { values: 'out.values', indices: 'out.indices' },
  };
}
