import { invalid } from '../errors.js';
import { allocate } from './allocate.js';
import { geometrySizes, readGeometry } from './conv2d.js';
import {
  type AsyncKernelOptions,
  checkFloat32Length,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
} from './matrix.js';
import type { Conv2DGeometry } from './reference/conv2d.js';
import {
  depthwiseBackpropFilterReference,
  depthwiseBackpropInputReference,
  depthwiseReference,
} from './reference/depthwise-conv2d.js';
import { type KernelCall, type ReferenceKernel, runAsync, runSync } from './run-kernel.js';

interface Common extends KernelOptions {
  /** outChannels equal inChannels. */
  geometry: Conv2DGeometry;
  out?: Float32Array;
}

export interface DepthwiseConv2DOptions extends Common {
  /** [batch, inHeight, inWidth, channels] */
  input: Float32Array;
  /** [filterHeight, filterWidth, channels] */
  filter: Float32Array;
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

/** Cross-correlation of every channel of NHWC images with a filter of its own, zero padding. */
export async function depthwiseConv2d(options: DepthwiseConv2DOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(forward(options));
}

/** {@link depthwiseConv2d}, at once. */
export function depthwiseConv2dSync(options: DepthwiseConv2DOptions): Float32Array {
  return runSync(forward(options));
}

/** The gradient of {@link depthwiseConv2d} by its input. */
export async function depthwiseConv2dBackpropInput(
  options: DepthwiseConv2DBackpropInputOptions & AsyncKernelOptions,
): Promise<Float32Array> {
  return runAsync(byInput(options));
}

/** {@link depthwiseConv2dBackpropInput}, at once. */
export function depthwiseConv2dBackpropInputSync(options: DepthwiseConv2DBackpropInputOptions): Float32Array {
  return runSync(byInput(options));
}

/** The gradient of {@link depthwiseConv2d} by its filter. */
export async function depthwiseConv2dBackpropFilter(
  options: DepthwiseConv2DBackpropFilterOptions & AsyncKernelOptions,
): Promise<Float32Array> {
  return runAsync(byFilter(options));
}

/** {@link depthwiseConv2dBackpropFilter}, at once. */
export function depthwiseConv2dBackpropFilterSync(options: DepthwiseConv2DBackpropFilterOptions): Float32Array {
  return runSync(byFilter(options));
}

type Operand = 'input' | 'filter' | 'dy';

const forward = (options: DepthwiseConv2DOptions) =>
  prepare('depthwiseConv2d', options, ['input', 'filter'], 'dy', depthwiseReference);

const byInput = (options: DepthwiseConv2DBackpropInputOptions) =>
  prepare('depthwiseConv2dBackpropInput', options, ['dy', 'filter'], 'input', depthwiseBackpropInputReference);

const byFilter = (options: DepthwiseConv2DBackpropFilterOptions) =>
  prepare('depthwiseConv2dBackpropFilter', options, ['input', 'dy'], 'filter', depthwiseBackpropFilterReference);

type Args<Name extends Operand> = Conv2DGeometry & Record<Name, Float32Array> & { out: Float32Array };

/** `like`: the operand that the result has the size of. */
function prepare<Name extends Operand>(
  kernel: string,
  options: Common & Record<Name, Float32Array>,
  names: readonly Name[],
  like: Operand,
  reference: ReferenceKernel<Args<Name>>,
): KernelCall<Args<Name>, Float32Array> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'geometry', 'out', ...names]);
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
  return { kernel, options, args, reference, inputs: {}, result: () => args.out };
}
