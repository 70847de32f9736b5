import { invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { ACTIVATIONS, type Activation } from './arguments/activation.js';
import { type Conv2DGeometry, geometrySizes, readGeometry } from './conv2d.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface DepthwiseArgs extends Conv2DGeometry {
  input: Float32Array;
  filter: Float32Array;
  bias?: Float32Array;
  /** Index into ACTIVATIONS. */
  activation: number;
  out: Float32Array;
}

export interface DepthwiseBackpropInputArgs extends Conv2DGeometry {
  dy: Float32Array;
  filter: Float32Array;
  out: Float32Array;
}

export interface DepthwiseBackpropFilterArgs extends Conv2DGeometry {
  input: Float32Array;
  dy: Float32Array;
  out: Float32Array;
}

interface Common {
  /** outChannels equal inChannels. */
  geometry: Conv2DGeometry;
  out?: Float32Array;
}

export interface DepthwiseConv2DOptions extends Common {
  /** [batch, inHeight, inWidth, channels] */
  input: Float32Array;
  /** [filterHeight, filterWidth, channels] */
  filter: Float32Array;
  /** [channels] */
  bias?: Float32Array;
  /** Applied after the bias. Default `none`. */
  activation?: Activation;
}

export interface DepthwiseConv2DBackpropInputOptions extends Common {
  /** Gradient of the output. */
  dy: Float32Array;
  filter: Float32Array;
}

export interface DepthwiseConv2DBackpropFilterOptions extends Common {
  input: Float32Array;
  dy: Float32Array;
}

/** Cross-correlation of every channel of NHWC images with a filter of its own, zero padding; bias and activation on the way out. */
export function depthwiseConv2d(options: DepthwiseConv2DOptions, run: NetworkRun = runNative): Float32Array {
  return run(forward(options));
}

/** The gradient of {@link depthwiseConv2d} (without activation) by its input. */
export function depthwiseConv2dBackpropInput(
  options: DepthwiseConv2DBackpropInputOptions,
  run: NetworkRun = runNative,
): Float32Array {
  return run(byInput(options));
}

/** The gradient of {@link depthwiseConv2d} (without activation) by its filter. */
export function depthwiseConv2dBackpropFilter(
  options: DepthwiseConv2DBackpropFilterOptions,
  run: NetworkRun = runNative,
): Float32Array {
  return run(byFilter(options));
}

type Operand = 'input' | 'filter' | 'dy';

function forward(options: DepthwiseConv2DOptions): NetworkCall<DepthwiseArgs, Float32Array> {
  options = readOptions(options, [...FORWARD, 'geometry', 'out']);
  const { bias, activation = 'none', ...operands } = options;
  const call = prepare('depthwiseConv2d', operands, ['input', 'filter'], 'dy');
  if (bias !== undefined) checkFloat32Length('bias', bias, call.args.inChannels);
  checkOneOf('activation', activation, ACTIVATIONS);
  const { out, ...rest } = call.args;
  const args = { ...rest, bias, activation: ACTIVATIONS.indexOf(activation), out };
  return { ...call, options, args, result: () => args.out };
}

const FORWARD = ['input', 'filter', 'bias', 'activation'] as const;

const byInput = (options: DepthwiseConv2DBackpropInputOptions) =>
  prepare('depthwiseConv2dBackpropInput', options, ['dy', 'filter'], 'input');

const byFilter = (options: DepthwiseConv2DBackpropFilterOptions) =>
  prepare('depthwiseConv2dBackpropFilter', options, ['input', 'dy'], 'filter');

type Args<Name extends Operand> = Conv2DGeometry & Record<Name, Float32Array> & { out: Float32Array };

/** `like`: the operand that the result has the size of. */
function prepare<Name extends Operand>(
  kernel: string,
  options: Common & Record<Name, Float32Array>,
  names: readonly Name[],
  like: Operand,
): NetworkCall<Args<Name>, Float32Array> {
  options = readOptions(options, ['geometry', 'out', ...names]);
  const geometry = readGeometry(options.geometry);
  const { input, output, filter } = geometrySizes(geometry);
  if (geometry.outChannels !== geometry.inChannels) {
    throw invalid('geometry.outChannels', `inChannels (${geometry.inChannels})`, geometry.outChannels);
  }
  const sizes: Record<Operand, number> = { input, dy: output, filter: filter / geometry.outChannels };
  for (const name of names) checkFloat32Length(name, options[name], sizes[name]);
  const out = options.out ?? allocate(Float32Array, sizes[like], 'geometry');
  checkFloat32Length('out', out, sizes[like]);
  const operands = Object.fromEntries(names.map((name) => [name, options[name]])) as unknown as Record<
    Name,
    Float32Array
  >;
  const args = { ...geometry, ...operands, out };
  return { kernel, options, args, result: () => args.out };
}
