import { invalid } from '../errors.js';
import { allocate } from './allocate.js';
import { geometrySizes } from './conv2d.js';
import {
  type AsyncKernelOptions,
  checkFloat32Length,
  checkOptions,
  KERNEL_OPTIONS,
  type KernelOptions,
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
  return runAsync(forward(options), options);
}

/** {@link depthwiseConv2d}, at once. */
export function depthwiseConv2dSync(options: DepthwiseConv2DOptions): Float32Array {
  return runSync(forward(options), options);
}

/** The gradient of {@link depthwiseConv2d} by its input. */
export async function depthwiseConv2dBackpropInput(
  options: DepthwiseConv2DBackpropInputOptions & AsyncKernelOptions,
): Promise<Float32Array> {
  return runAsync(byInput(options), options);
}

/** {@link depthwiseConv2dBackpropInput}, at once. */
export function depthwiseConv2dBackpropInputSync(options: DepthwiseConv2DBackpropInputOptions): Float32Array {
  return runSync(byInput(options), options);
}

/** The gradient of {@link depthwiseConv2d} by its filter. */
export async function depthwiseConv2dBackpropFilter(
  options: DepthwiseConv2DBackpropFilterOptions & AsyncKernelOptions,
): Promise<Float32Array> {
  return runAsync(byFilter(options), options);
}

/** {@link depthwiseConv2dBackpropFilter}, at once. */
export function depthwiseConv2dBackpropFilterSync(options: DepthwiseConv2DBackpropFilterOptions): Float32Array {
  return runSync(byFilter(options), options);
}

type Operand = 'input' | 'filter' | 'dy';

const forward = (options: DepthwiseConv2DOptions) =>
  prepare('depthwiseConv2d', options, { input: options.input, filter: options.filter }, 'dy', depthwiseReference);

const byInput = (options: DepthwiseConv2DBackpropInputOptions) => {
  const operands = { dy: options.dy, filter: options.filter };
  return prepare('depthwiseConv2dBackpropInput', options, operands, 'input', depthwiseBackpropInputReference);
};

const byFilter = (options: DepthwiseConv2DBackpropFilterOptions) => {
  const operands = { input: options.input, dy: options.dy };
  return prepare('depthwiseConv2dBackpropFilter', options, operands, 'filter', depthwiseBackpropFilterReference);
};

/** `like`: the operand that the result has the size of. */
function prepare<Given extends Partial<Record<Operand, Float32Array>>>(
  kernel: string,
  options: Common,
  operands: Given,
  like: Operand,
  reference: ReferenceKernel<Conv2DGeometry & Given & { out: Float32Array }>,
): KernelCall<Conv2DGeometry & Given & { out: Float32Array }, Float32Array> {
  checkOptions(options, [...KERNEL_OPTIONS, 'geometry', 'out', ...Object.keys(operands)]);
  const { geometry } = options;
  const { input, output, filter } = geometrySizes(geometry);
  if (geometry.outChannels !== geometry.inChannels) {
    throw invalid('geometry.outChannels', `inChannels (${geometry.inChannels})`, geometry.outChannels);
  }
  const sizes: Record<Operand, number> = { input, dy: output, filter: filter / geometry.outChannels };
  for (const [name, values] of Object.entries(operands)) checkFloat32Length(name, values!, sizes[name as Operand]);
  const out = options.out ?? allocate(Float32Array, sizes[like]);
  checkFloat32Length('out', out, sizes[like]);
  const args = { ...geometry, ...operands, out };
  return { kernel, args, reference, inputs: {}, result: () => args.out };
}
