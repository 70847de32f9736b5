import { allocate } from '../allocate.js';
import { checkUint8Length } from '../integers.js';
import { checkOneOf, readOptions } from '../matrix.js';
import { type BroadcastOperands, operandLayout } from './arguments/broadcast.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const COMPARE_OPS = ['equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'notEqual'] as const;

export type CompareOp = (typeof COMPARE_OPS)[number];

export interface CompareValuesArgs {
  /** Index into COMPARE_OPS. */
  op: number;
  a: Float32Array;
  b: Float32Array;
  /** Shape, strides of a, strides of b: 4 numbers each. */
  layout: Float64Array;
  out: Uint8Array;
}

export interface CompareValuesOptions extends BroadcastOperands {
  op: CompareOp;
  out?: Uint8Array;
}

/**
 * out[i,j,k,l] = a[i,j,k,l] op b[i,j,k,l] ? 1 : 0 with broadcasting by strides. With a NaN only notEqual is 1.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as strides that leave an operand.
 */
export function compareValues(options: CompareValuesOptions, run: NetworkRun = runNative): Uint8Array {
  return run(prepare(options));
}

function prepare(options: CompareValuesOptions): NetworkCall<CompareValuesArgs, Uint8Array> {
  options = readOptions(options, ['op', 'a', 'b', 'shape', 'aStrides', 'bStrides', 'out']);
  const { op, a, b } = options;
  checkOneOf('op', op, COMPARE_OPS);
  const { layout, size } = operandLayout(options);
  const out = options.out ?? allocate(Uint8Array, size, 'shape');
  checkUint8Length('out', out, size);
  const args = { op: COMPARE_OPS.indexOf(op), a, b, layout, out };
  return { kernel: 'compareValues', options, args, result: () => args.out };
}
