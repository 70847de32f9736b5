import { EatDmlError, invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkFloat32Length, checkOneOf, readOptions } from '../matrix.js';
import { type Conv2DGeometry, geometrySizes, readGeometry, windowsOf } from './conv2d.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** The operations in the order of the contract's enum. */
export const POOL_OPS = ['average', 'max'] as const;

export type PoolOp = (typeof POOL_OPS)[number];

export interface Pool2DArgs extends Conv2DGeometry {
  /** Index into POOL_OPS. */
  op: number;
  x: Float32Array;
  out: Float32Array;
}

export interface Pool2DGradientArgs extends Conv2DGeometry {
  op: number;
  /** max only. */
  x?: Float32Array;
  dy: Float32Array;
  dx: Float32Array;
}

export interface Pool2DOptions {
  op: PoolOp;
  /** filterHeight x filterWidth is the window; inChannels = outChannels. */
  geometry: Conv2DGeometry;
  /** [batch, inHeight, inWidth, inChannels] */
  x: Float32Array;
  /** [batch, outHeight, outWidth, inChannels] */
  out?: Float32Array;
}

export interface Pool2DGradientOptions {
  op: PoolOp;
  geometry: Conv2DGeometry;
  /** The input of the forward pass; needed for max only. */
  x?: Float32Array;
  /** Gradient of the output. */
  dy: Float32Array;
  /** Where the gradient of x goes. */
  dx?: Float32Array;
}

/**
 * Largest or average value of each window, over positions inside the image. NaN is never a maximum.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as a window that lies outside the image.
 */
export function pool2d(options: Pool2DOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepareForward(options));
}

/**
 * The gradient of {@link pool2d}: to the first maximum, or dy / (window size) to every position of the window, which is
 * what TensorFlow.js takes for the average's gradient at borders too.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function pool2dGradient(options: Pool2DGradientOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepareGradient(options));
}

function prepareForward(options: Pool2DOptions): NetworkCall<Pool2DArgs, Float32Array> {
  options = readOptions(options, ['op', 'geometry', 'x', 'out']);
  const { op, x } = options;
  checkOneOf('op', op, POOL_OPS);
  const geometry = readGeometry(options.geometry);
  const size = poolSizes(geometry);
  checkFloat32Length('x', x, size.input);
  const out = options.out ?? allocate(Float32Array, size.output, 'geometry');
  checkFloat32Length('out', out, size.output);
  checkWindows(geometry);
  const args = { ...geometry, op: POOL_OPS.indexOf(op), x, out };
  return { kernel: 'pool2d', options, args, result: () => args.out };
}

function prepareGradient(options: Pool2DGradientOptions): NetworkCall<Pool2DGradientArgs, Float32Array> {
  options = readOptions(options, ['op', 'geometry', 'x', 'dy', 'dx']);
  const { op, x, dy } = options;
  checkOneOf('op', op, POOL_OPS);
  const geometry = readGeometry(options.geometry);
  const size = poolSizes(geometry);
  if (op === 'max' || x !== undefined) checkFloat32Length('x', x, size.input);
  checkFloat32Length('dy', dy, size.output);
  const dx = options.dx ?? allocate(Float32Array, size.input, 'geometry');
  checkFloat32Length('dx', dx, size.input);
  checkWindows(geometry);
  const args = { ...geometry, op: POOL_OPS.indexOf(op), x, dy, dx };
  return {
    kernel: 'pool2dGradient',
    options,
    args,
    result: () => args.dx,
  };
}

function poolSizes(geometry: Conv2DGeometry) {
  const sizes = geometrySizes(geometry);
  const { inChannels, outChannels } = geometry;
  if (inChannels !== outChannels) throw invalid('geometry.outChannels', `inChannels, ${inChannels}`, outChannels);
  return sizes;
}

/** Throws for the first window that has no place in the image: it has neither a maximum nor an average. */
function checkWindows(geometry: Conv2DGeometry): void {
  for (const axis of ['Height', 'Width'] as const) {
    const window = firstOutside(geometry, axis);
    if (window === undefined) continue;
    const found = `window ${window} of its ${axis.toLowerCase()} lies outside`;
    throw new EatDmlError('ERR_ARGUMENT', `Expected geometry to have every window reach into the image but ${found}.`, {
      hint: 'Padding must be less than the window.',
    });
  }
}

/** Whether every window has a place in the image. */
export function windowsReachImage(geometry: Conv2DGeometry): boolean {
  return firstOutside(geometry, 'Height') === undefined && firstOutside(geometry, 'Width') === undefined;
}

function firstOutside(geometry: Conv2DGeometry, axis: 'Height' | 'Width'): number | undefined {
  const { size, count, stride, pad, taps, dilation } = windowsOf(geometry, axis);
  for (let window = 0; window < count; window++) {
    const corner = window * stride - pad;
    const first = corner < 0 ? corner + Math.ceil(-corner / dilation) * dilation : corner;
    if (first >= size || first > corner + (taps - 1) * dilation) return window;
  }
  return undefined;
}
