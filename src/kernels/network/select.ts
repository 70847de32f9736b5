import { checkUint8Length } from '../integers.js';
import { checkCount, checkFloat32Length, readOptions } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface SelectArgs {
  condition: Uint8Array;
  t: Float32Array;
  e: Float32Array;
  rows: number;
  inner: number;
  out: Float32Array;
}

export interface SelectOptions {
  /** [rows]; 1 takes the row of `t`, anything else that of `e`. */
  condition: Uint8Array;
  /** [rows, inner] */
  t: Float32Array;
  /** [rows, inner] */
  e: Float32Array;
  rows: number;
  /** Values that share a condition (default 1). */
  inner?: number;
  /** [rows, inner] */
  out?: Float32Array;
}

/**
 * out[r,i] = condition[r] = 1 ? t[r,i] : e[r,i].
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function select(options: SelectOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: SelectOptions): NetworkCall<SelectArgs, Float32Array> {
  options = readOptions(options, ['condition', 't', 'e', 'rows', 'inner', 'out']);
  const { condition, t, e, rows, inner = 1 } = options;
  checkCount('rows', rows);
  checkCount('inner', inner);
  checkUint8Length('condition', condition, rows);
  checkFloat32Length('t', t, rows * inner);
  checkFloat32Length('e', e, rows * inner);
  const out = options.out ?? new Float32Array(rows * inner);
  checkFloat32Length('out', out, rows * inner);
  const args = { condition, t, e, rows, inner, out };
  return { kernel: 'select', options, args, result: () => args.out };
}
