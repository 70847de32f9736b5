import { allocate } from '../allocate.js';
import { checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { type BroadcastOperands, operandLayout } from './arguments/broadcast.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const BINARY_OPS = [
  'add',
  'div',
  'maximum',
  'minimum',
  'mul',
  'squaredDifference',
  'sub',
  'reluGrad',
  'pow',
  'addRelu',
  'relu6Grad',
] as const;

export type BinaryOp = (typeof BINARY_OPS)[number];

export interface BinaryArgs {
  /** Index into BINARY_OPS. */
  op: number;
  a: Float32Array;
  b: Float32Array;
  /** Shape, strides of a, strides of b: 4 numbers each. */
  layout: Float64Array;
  out: Float32Array;
}

export interface BinaryOptions extends BroadcastOperands {
  op: BinaryOp;
  out?: Float32Array;
}

/**
 * out[i,j,k,l] = op(a[i,j,k,l], b[i,j,k,l]) with broadcasting by strides. maximum and minimum give NaN where either is NaN;
 * reluGrad is b > 0 ? a : 0, relu6Grad 0 < b && b < 6 ? a : 0; pow is Math.pow; addRelu is max(0, a + b).
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as strides that leave an operand.
 */
export function binary(options: BinaryOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: BinaryOptions): NetworkCall<BinaryArgs, Float32Array> {
  options = readOptions(options, ['op', 'a', 'b', 'shape', 'aStrides', 'bStrides', 'out']);
  const { op, a, b } = options;
  checkOneOf('op', op, BINARY_OPS);
  const { layout, size } = operandLayout(options);
  const out = options.out ?? allocate(Float32Array, size, 'shape');
  checkFloat32Length('out', out, size);
  const args = { op: BINARY_OPS.indexOf(op), a, b, layout, out };
  return { kernel: 'binary', options, args, result: () => args.out };
}
