import { checkCount, checkFloat32Length, checkNonNegative, checkOneOf, readOptions } from '../matrix.js';
import { ACTIVATIONS, type Activation } from './arguments/activation.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface BatchMomentsArgs {
  x: Float32Array;
  rows: number;
  channels: number;
  mean: Float32Array;
  variance: Float32Array;
}

export interface BatchNormInputs {
  x: Float32Array;
  rows: number;
  channels: number;
  mean: Float32Array;
  variance: Float32Array;
  scale: Float32Array;
  offset: Float32Array;
  epsilon: number;
  /** Index into ACTIVATIONS. */
  activation: number;
}

export interface BatchNormArgs extends BatchNormInputs {
  out: Float32Array;
}

export interface BatchNormGradientArgs extends BatchNormInputs {
  dy: Float32Array;
  dx: Float32Array;
  dScale: Float32Array;
  dOffset: Float32Array;
}

export interface BatchMomentsOptions {
  /** [rows, channels] */
  x: Float32Array;
  rows: number;
  channels: number;
}

export interface BatchNormOptions extends BatchMomentsOptions {
  /** [channels] */
  mean: Float32Array;
  variance: Float32Array;
  /** [channels]; 1 when absent. */
  scale?: Float32Array;
  /** [channels]; 0 when absent. */
  offset?: Float32Array;
  /** Added to the variance, >= 0. */
  epsilon: number;
  /** Default `none`. */
  activation?: Activation;
  /** [rows, channels] */
  out?: Float32Array;
}

export interface BatchNormGradientOptions extends Omit<BatchNormOptions, 'out'> {
  /** Gradient of the output, [rows, channels]. */
  dy: Float32Array;
  /** Where the gradient of x goes. */
  dx?: Float32Array;
}

export interface BatchNormGradient {
  dx: Float32Array;
  dScale: Float32Array;
  dOffset: Float32Array;
}

export interface Moments {
  mean: Float32Array;
  /** Biased: divided by rows. */
  variance: Float32Array;
}

/**
 * Mean and variance of every channel of x [rows, channels], by Chan's formula over fixed blocks of rows.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function batchMoments(options: BatchMomentsOptions, run: NetworkRun = runNative): Moments {
  return run(prepareMoments(options));
}

/**
 * act(scale · (x - mean) / √(variance + epsilon) + offset), per channel.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function batchNorm(options: BatchNormOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepareForward(options));
}

/**
 * The gradient of {@link batchNorm} where mean and variance are the moments of x itself.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function batchNormGradient(options: BatchNormGradientOptions, run: NetworkRun = runNative): BatchNormGradient {
  return run(prepareGradient(options));
}

const INPUTS = ['x', 'rows', 'channels', 'mean', 'variance', 'scale', 'offset', 'epsilon', 'activation'];

function prepareMoments(options: BatchMomentsOptions): NetworkCall<BatchMomentsArgs, Moments> {
  options = readOptions(options, ['x', 'rows', 'channels']);
  const { x, rows, channels } = options;
  checkRows(x, rows, channels);
  const args = { x, rows, channels, mean: new Float32Array(channels), variance: new Float32Array(channels) };
  return {
    kernel: 'batchMoments',
    options,
    args,
    result: () => ({ mean: args.mean, variance: args.variance }),
  };
}

function prepareForward(options: BatchNormOptions): NetworkCall<BatchNormArgs, Float32Array> {
  options = readOptions(options, [...INPUTS, 'out']);
  const inputs = readInputs(options);
  const out = options.out ?? new Float32Array(inputs.rows * inputs.channels);
  checkFloat32Length('out', out, inputs.rows * inputs.channels);
  const args = { ...inputs, out };
  return { kernel: 'batchNorm', options, args, result: () => args.out };
}

function prepareGradient(options: BatchNormGradientOptions): NetworkCall<BatchNormGradientArgs, BatchNormGradient> {
  options = readOptions(options, [...INPUTS, 'dy', 'dx']);
  const inputs = readInputs(options);
  const { dy, dx = new Float32Array(inputs.rows * inputs.channels) } = options;
  checkFloat32Length('dy', dy, inputs.rows * inputs.channels);
  checkFloat32Length('dx', dx, inputs.rows * inputs.channels);
  const [dScale, dOffset] = [new Float32Array(inputs.channels), new Float32Array(inputs.channels)];
  const args = { ...inputs, dy, dx, dScale, dOffset };
  return {
    kernel: 'batchNormGradient',
    options,
    args,
    result: () => ({ dx: args.dx, dScale, dOffset }),
  };
}

function readInputs(options: Omit<BatchNormOptions, 'out'>): BatchNormInputs {
  const { x, rows, channels, mean, variance, epsilon, activation = 'none' } = options;
  checkRows(x, rows, channels);
  const { scale = new Float32Array(channels).fill(1), offset = new Float32Array(channels) } = options;
  for (const [name, v] of Object.entries({ mean, variance, scale, offset })) checkFloat32Length(name, v, channels);
  checkNonNegative('epsilon', epsilon);
  checkOneOf('activation', activation, ACTIVATIONS);
  return { x, rows, channels, mean, variance, scale, offset, epsilon, activation: ACTIVATIONS.indexOf(activation) };
}

function checkRows(x: Float32Array, rows: number, channels: number): void {
  checkCount('rows', rows);
  checkCount('channels', channels);
  checkFloat32Length('x', x, rows * channels);
}
