import { invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkCount, checkFlag, checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { ACTIVATIONS, type Activation } from './arguments/activation.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface MatMulArgs {
  a: Float32Array;
  b: Float32Array;
  m: number;
  n: number;
  k: number;
  batch: number;
  broadcastA: boolean;
  broadcastB: boolean;
  transposeA: boolean;
  transposeB: boolean;
  bias?: Float32Array;
  /** Index into ACTIVATIONS. */
  activation: number;
  out: Float32Array;
}

export interface MatMulOptions {
  /** [batch,m,k], or [batch,k,m] when transposed. */
  a: Float32Array;
  /** [batch,k,n], or [batch,n,k] when transposed. */
  b: Float32Array;
  m: number;
  n: number;
  k: number;
  /** Default 1. */
  batch?: number;
  /** `a` (or `b`) is one matrix that serves the whole batch. */
  broadcastA?: boolean;
  broadcastB?: boolean;
  transposeA?: boolean;
  transposeB?: boolean;
  /** [n], added to every row. */
  bias?: Float32Array;
  /** Applied after the bias. Default `none`. */
  activation?: Activation;
  /** [batch,m,n], where the result goes. */
  out?: Float32Array;
}

/**
 * activation(op(a) op(b) + bias), float32, as [batch,m,n]. NaN and Inf pass through as IEEE arithmetic has it.
 * @throws EatDmlError ERR_ARGUMENT for lengths that do not fit.
 */
export function matmul(options: MatMulOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

const KNOWN = ['a', 'b', 'm', 'n', 'k', 'batch', 'broadcastA', 'broadcastB', 'transposeA', 'transposeB', 'bias', 'out'];

function prepare(options: MatMulOptions): NetworkCall<MatMulArgs, Float32Array> {
  options = readOptions(options, [...KNOWN, 'activation']);
  const { a, b, m, n, k, batch = 1, bias, activation = 'none' } = options;
  const { broadcastA = false, broadcastB = false, transposeA = false, transposeB = false } = options;
  for (const [name, value] of Object.entries({ m, n, k, batch })) checkCount(name, value);
  const flags = { broadcastA, broadcastB, transposeA, transposeB };
  for (const [name, value] of Object.entries(flags)) checkFlag(name, value);
  checkFloat32Length('a', a, (broadcastA ? 1 : batch) * m * k);
  checkFloat32Length('b', b, (broadcastB ? 1 : batch) * k * n);
  if (bias !== undefined) checkFloat32Length('bias', bias, n);
  checkOneOf('activation', activation, ACTIVATIONS);
  const out = options.out ?? allocate(Float32Array, batch * m * n, 'm');
  checkFloat32Length('out', out, batch * m * n);
  if (out === a || out === b) throw invalid('out', 'an array of its own', 'one of the inputs');
  const args = { a, b, m, n, k, batch, bias, ...flags, activation: ACTIVATIONS.indexOf(activation), out };
  return { kernel: 'matmul', options, args, result: () => args.out };
}
