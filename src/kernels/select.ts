import { checkUint8Length } from './integers.js';
import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import { type SelectArgs, selectReference } from './reference/select.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export interface SelectOptions extends KernelOptions {
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
export async function select(options: SelectOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link select}, at once. */
export function selectSync(options: SelectOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: SelectOptions): KernelCall<SelectArgs, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'condition', 't', 'e', 'rows', 'inner', 'out']);
  const { condition, t, e, rows, inner = 1 } = options;
  checkCount('rows', rows);
  checkCount('inner', inner);
  checkUint8Length('condition', condition, rows);
  checkFloat32Length('t', t, rows * inner);
  checkFloat32Length('e', e, rows * inner);
  const out = options.out ?? new Float32Array(rows * inner);
  checkFloat32Length('out', out, rows * inner);
  const args = { condition, t, e, rows, inner, out };
  return {
    kernel: 'select',
    options,
    args,
    reference: selectReference,
    inputs: {},
    result: () => args.out,
  };
}
