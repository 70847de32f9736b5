import { invalid } from '../../errors.js';
import { checkUint8, checkUint8Length } from '../integers.js';
import { checkOneOf, readOptions } from '../matrix.js';
import { lengthOf } from '../typed-arrays.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const LOGICAL_OPS = ['and', 'not', 'or'] as const;

export type LogicalOp = (typeof LOGICAL_OPS)[number];

export interface LogicalArgs {
  /** Index into LOGICAL_OPS. */
  op: number;
  a: Uint8Array;
  /** Absent for not. */
  b: Uint8Array | undefined;
  size: number;
  out: Uint8Array;
}

export interface LogicalOptions {
  op: LogicalOp;
  /** Flags, each 0 or 1. */
  a: Uint8Array;
  /** As long as `a`; absent for not. */
  b?: Uint8Array;
  out?: Uint8Array;
}

/**
 * out[i] = op(a[i], b[i]) of flags that are 0 or 1.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function logical(options: LogicalOptions, run: NetworkRun = runNative): Uint8Array {
  return run(prepare(options));
}

function prepare(options: LogicalOptions): NetworkCall<LogicalArgs, Uint8Array> {
  options = readOptions(options, ['op', 'a', 'b', 'out']);
  const { op, a, b } = options;
  checkOneOf('op', op, LOGICAL_OPS);
  checkUint8('a', a);
  const size = lengthOf(a);
  if (op !== 'not') checkUint8Length('b', b, size);
  else if (b !== undefined) throw invalid('b', 'nothing', b);
  const out = options.out ?? new Uint8Array(size);
  checkUint8Length('out', out, size);
  const args = { op: LOGICAL_OPS.indexOf(op), a, b, size, out };
  return { kernel: 'logical', options, args, result: () => args.out };
}
