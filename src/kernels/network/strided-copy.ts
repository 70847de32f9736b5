import { EatDmlError, invalid } from '../../errors.js';
import { checkIntegers } from '../integers.js';
import { checkFloat32, readOptions } from '../matrix.js';
import { lengthOf } from '../typed-arrays.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** Axes of a copy. */
export const COPY_AXES = 6;

export interface StridedCopyArgs {
  x: Float32Array;
  xSize: number;
  outSize: number;
  /** Shape, strides of x, strides of out, COPY_AXES numbers each; then the two offsets. */
  layout: Float64Array;
  out: Float32Array;
}

export interface StridedCopyOptions {
  x: Float32Array;
  /** How many values move along each axis; 1 to 6 axes. */
  shape: readonly number[];
  /** Elements of `x` from one index of an axis to the next; may be 0 or negative. */
  xStrides: readonly number[];
  /** The same of `out`; no place may be written twice. */
  outStrides: readonly number[];
  /** Where the first value is read (default 0). */
  xOffset?: number;
  /** Where the first value goes (default 0). */
  outOffset?: number;
  /** Keeps what is not written. */
  out: Float32Array;
}

/**
 * out[outOffset + Σ i_k·outStrides_k] = x[xOffset + Σ i_k·xStrides_k] for every index i of the shape.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as strides that leave an array.
 */
export function stridedCopy(options: StridedCopyOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: StridedCopyOptions): NetworkCall<StridedCopyArgs, Float32Array> {
  const names = ['x', 'shape', 'xStrides', 'outStrides', 'xOffset', 'outOffset', 'out'];
  options = readOptions(options, [...names]);
  const { x, shape, xStrides, outStrides, xOffset = 0, outOffset = 0, out } = options;
  checkFloat32('x', x);
  checkFloat32('out', out);
  const [xSize, outSize] = [lengthOf(x), lengthOf(out)];
  checkIntegers('shape', shape, [1, 2, 3, 4, 5, COPY_AXES], 1);
  for (const [name, offset] of Object.entries({ xOffset, outOffset })) {
    if (!Number.isSafeInteger(offset)) throw invalid(name, 'an integer', offset);
  }
  const count = shape.reduce((product, size) => product * size, 1);
  // Axes of stride 0 could write the same few places for ever.
  if (count > outSize) throw invalid('shape', `at most ${outSize} values, as many as out has`, count);
  checkInside('xStrides', xStrides, shape, xOffset, xSize);
  checkInside('outStrides', outStrides, shape, outOffset, outSize);
  const missing = COPY_AXES - shape.length;
  const whole = (values: readonly number[], fill: number) => [...new Array<number>(missing).fill(fill), ...values];
  const parts = [...whole(shape, 1), ...whole(xStrides, 0), ...whole(outStrides, 0)];
  const layout = Float64Array.of(...parts, xOffset, outOffset);
  const args = { x, xSize, outSize, layout, out };
  return { kernel: 'stridedCopy', options, args, result: () => args.out };
}

function checkInside(name: string, strides: readonly number[], shape: readonly number[], offset: number, size: number) {
  checkIntegers(name, strides, shape.length);
  const far = strides.map((stride, axis) => (shape[axis] - 1) * stride);
  const low = far.reduce((sum, step) => sum + Math.min(0, step), offset);
  const high = far.reduce((sum, step) => sum + Math.max(0, step), offset);
  if (low >= 0 && high < size) return;
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${name} to stay in ${size} values but they reach ${low} to ${high}.`);
}
