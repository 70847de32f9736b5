import { invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkCount, checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { readFields } from '../read-once.js';
import { ACTIVATIONS, type Activation } from './arguments/activation.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** Shapes of a 2-D convolution: NHWC images, HWIO filter; padding at the far edges follows from the sizes. */
export interface Conv2DGeometry {
  batch: number;
  inHeight: number;
  inWidth: number;
  inChannels: number;
  outHeight: number;
  outWidth: number;
  outChannels: number;
  filterHeight: number;
  filterWidth: number;
  strideHeight: number;
  strideWidth: number;
  padTop: number;
  padLeft: number;
  dilationHeight: number;
  dilationWidth: number;
}

export interface Conv2DArgs extends Conv2DGeometry {
  input: Float32Array;
  filter: Float32Array;
  bias?: Float32Array;
  /** Index into ACTIVATIONS. */
  activation: number;
  out: Float32Array;
}

export interface Conv2DBackpropInputArgs extends Conv2DGeometry {
  dy: Float32Array;
  filter: Float32Array;
  out: Float32Array;
}

export interface Conv2DBackpropFilterArgs extends Conv2DGeometry {
  input: Float32Array;
  dy: Float32Array;
  out: Float32Array;
}

export interface Conv2DOptions {
  geometry: Conv2DGeometry;
  /** [batch, inHeight, inWidth, inChannels] */
  input: Float32Array;
  /** [filterHeight, filterWidth, inChannels, outChannels] */
  filter: Float32Array;
  /** [outChannels] */
  bias?: Float32Array;
  /** Applied after the bias. Default `none`. */
  activation?: Activation;
  /** [batch, outHeight, outWidth, outChannels] */
  out?: Float32Array;
}

export interface Conv2DBackpropInputOptions {
  geometry: Conv2DGeometry;
  /** Gradient of the output. */
  dy: Float32Array;
  filter: Float32Array;
  /** Gradient of the input. */
  out?: Float32Array;
}

export interface Conv2DBackpropFilterOptions {
  geometry: Conv2DGeometry;
  input: Float32Array;
  /** Gradient of the output. */
  dy: Float32Array;
  /** Gradient of the filter. */
  out?: Float32Array;
}

/** Cross-correlation of NHWC images with an HWIO filter, zero padding; bias and activation on the way out. */
export function conv2d(options: Conv2DOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepareForward(options));
}

/** The gradient of {@link conv2d} (without activation) by its input. */
export function conv2dBackpropInput(options: Conv2DBackpropInputOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepareInput(options));
}

/** The gradient of {@link conv2d} (without activation) by its filter. */
export function conv2dBackpropFilter(options: Conv2DBackpropFilterOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepareFilter(options));
}

function prepareForward(options: Conv2DOptions): NetworkCall<Conv2DArgs, Float32Array> {
  options = readOptions(options, ['geometry', 'input', 'filter', 'bias', 'activation', 'out']);
  const { input, filter, bias, activation = 'none' } = options;
  const geometry = readGeometry(options.geometry);
  const size = geometrySizes(geometry);
  checkFloat32Length('input', input, size.input);
  checkFloat32Length('filter', filter, size.filter);
  if (bias !== undefined) checkFloat32Length('bias', bias, geometry.outChannels);
  checkOneOf('activation', activation, ACTIVATIONS);
  const out = outputOf(options.out, size.output);
  const args = { ...geometry, input, filter, bias, activation: ACTIVATIONS.indexOf(activation), out };
  return { kernel: 'conv2d', options, args, result: () => args.out };
}

function prepareInput(options: Conv2DBackpropInputOptions): NetworkCall<Conv2DBackpropInputArgs, Float32Array> {
  options = readOptions(options, ['geometry', 'dy', 'filter', 'out']);
  const { dy, filter } = options;
  const geometry = readGeometry(options.geometry);
  const size = geometrySizes(geometry);
  checkFloat32Length('dy', dy, size.output);
  checkFloat32Length('filter', filter, size.filter);
  const args = { ...geometry, dy, filter, out: outputOf(options.out, size.input) };
  return { kernel: 'conv2dBackpropInput', options, args, result: () => args.out };
}

function prepareFilter(options: Conv2DBackpropFilterOptions): NetworkCall<Conv2DBackpropFilterArgs, Float32Array> {
  options = readOptions(options, ['geometry', 'input', 'dy', 'out']);
  const { input, dy } = options;
  const geometry = readGeometry(options.geometry);
  const size = geometrySizes(geometry);
  checkFloat32Length('input', input, size.input);
  checkFloat32Length('dy', dy, size.output);
  const args = { ...geometry, input, dy, out: outputOf(options.out, size.filter) };
  return { kernel: 'conv2dBackpropFilter', options, args, result: () => args.out };
}

const COUNTS = [
  ...(['batch', 'inHeight', 'inWidth', 'inChannels', 'outHeight', 'outWidth', 'outChannels'] as const),
  ...(['filterHeight', 'filterWidth', 'strideHeight', 'strideWidth', 'dilationHeight', 'dilationWidth'] as const),
];
const PADS = ['padTop', 'padLeft'] as const;

/** The geometry as a plain object; throws unless it, called `name`, is whole. */
export function readGeometry(given: unknown, name = 'geometry'): Conv2DGeometry {
  if (typeof given !== 'object' || given === null) throw invalid(name, `an object with ${COUNTS.join(', ')}`, given);
  const g = readFields(name, given, [...COUNTS, ...PADS]);
  for (const field of COUNTS) checkCount(`${name}.${field}`, g[field]);
  for (const field of PADS)
    if (!Number.isSafeInteger(g[field])) throw invalid(`${name}.${field}`, 'an integer', g[field]);
  const geometry = g as unknown as Conv2DGeometry;
  checkReach(geometry, name);
  return geometry;
}

/** How far windows may reach beyond an image, in pixels of an axis. */
const FARTHEST = 2 ** 31;

/** Sizes and places are numbers that kernels can multiply. */
function checkReach(g: Conv2DGeometry, name: string): void {
  for (const [size, elements] of Object.entries(geometrySizes(g))) {
    if (!Number.isSafeInteger(elements)) throw invalid(`${name}'s ${size}`, 'fewer than 2^53 elements', elements);
  }
  const axes = {
    Height: g.outHeight * g.strideHeight + Math.abs(g.padTop) + g.filterHeight * g.dilationHeight,
    Width: g.outWidth * g.strideWidth + Math.abs(g.padLeft) + g.filterWidth * g.dilationWidth,
  };
  for (const [axis, reached] of Object.entries(axes)) {
    if (reached < FARTHEST) continue;
    throw invalid(`${name}.stride${axis}, its dilation and padding`, 'windows within 2^31 pixels', reached);
  }
}

/** Elements of the input, the output and the filter. */
export function geometrySizes(g: Conv2DGeometry) {
  return {
    input: g.batch * g.inHeight * g.inWidth * g.inChannels,
    output: g.batch * g.outHeight * g.outWidth * g.outChannels,
    filter: g.filterHeight * g.filterWidth * g.inChannels * g.outChannels,
  };
}

/** The windows along one axis: window i covers the places i * stride - pad + tap * dilation of 0 .. size - 1. */
export function windowsOf(g: Conv2DGeometry, axis: 'Height' | 'Width') {
  return {
    size: g[`in${axis}`],
    count: g[`out${axis}`],
    stride: g[`stride${axis}`],
    pad: axis === 'Height' ? g.padTop : g.padLeft,
    taps: g[`filter${axis}`],
    dilation: g[`dilation${axis}`],
  };
}

function outputOf(out: Float32Array | undefined, length: number): Float32Array {
  if (out === undefined) return allocate(Float32Array, length, 'geometry');
  checkFloat32Length('out', out, length);
  return out;
}
