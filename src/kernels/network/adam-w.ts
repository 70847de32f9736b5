import { invalid } from '../../errors.js';
import { checkFloat32, checkFloat32Length, readOptions } from '../matrix.js';
import { lengthOf } from '../typed-arrays.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface AdamWArgs {
  size: number;
  weights: Float32Array;
  gradient: Float32Array;
  first: Float32Array;
  second: Float32Array;
  beta1: number;
  beta2: number;
  kept: number;
  rate: number;
  floor: number;
  outWeights: Float32Array;
  outFirst: Float32Array;
  outSecond: Float32Array;
}

const COEFFICIENTS = ['beta1', 'beta2', 'kept', 'rate', 'floor'] as const;
const RESULTS = ['weights', 'first', 'second'] as const;
const ARRAYS = ['weights', 'gradient', 'first', 'second'] as const;

export interface AdamWOptions {
  weights: Float32Array;
  gradient: Float32Array;
  /** The moments before the step. */
  first: Float32Array;
  second: Float32Array;
  beta1: number;
  beta2: number;
  /** Share of a weight that its decay leaves. */
  kept: number;
  /** Length of the step, bias corrections included. */
  rate: number;
  /** Added to √second. */
  floor: number;
  /** Where the results go; may be the operands. */
  out?: AdamWResult;
}

export interface AdamWResult {
  weights: Float32Array;
  first: Float32Array;
  second: Float32Array;
}

/**
 * One step of AdamW: first' = beta1·first + (1 - beta1)·g, second' = beta2·second + (1 - beta2)·g²,
 * weights' = kept·weights - rate·first' / (√second' + floor).
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function adamW(options: AdamWOptions, run: NetworkRun = runNative): AdamWResult {
  return run(prepare(options));
}

function prepare(options: AdamWOptions): NetworkCall<AdamWArgs, AdamWResult> {
  options = readOptions(options, [...ARRAYS, ...COEFFICIENTS, 'out'], { out: RESULTS });
  const { weights, gradient, first, second, beta1, beta2, kept, rate, floor } = options;
  checkFloat32('weights', weights);
  const size = lengthOf(weights);
  for (const name of ARRAYS) checkFloat32Length(name, options[name], size);
  for (const name of COEFFICIENTS) {
    if (!Number.isFinite(options[name])) throw invalid(name, 'a finite number', options[name]);
  }
  const fresh = () => new Float32Array(size);
  const given = options.out ?? { weights: fresh(), first: fresh(), second: fresh() };
  for (const name of RESULTS) checkFloat32Length(`out.${name}`, given[name], size);
  const operands = { weights, gradient, first, second };
  const outputs = { outWeights: given.weights, outFirst: given.first, outSecond: given.second };
  const args = { size, ...operands, beta1, beta2, kept, rate, floor, ...outputs };
  const result = () => ({ weights: args.outWeights, first: args.outFirst, second: args.outSecond });
  const inPlace = Object.keys(operands);
  const names = { outWeights: 'out.weights', outFirst: 'out.first', outSecond: 'out.second' };
  return { kernel: 'adamW', options, args, result, inPlace, names };
}
