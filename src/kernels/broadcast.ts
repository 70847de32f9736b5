import { EatDmlError, invalid } from '../errors.js';
import { checkFloat32 } from './matrix.js';

/** Two operands, repeated along axes by strides of 0. */
export interface BroadcastOperands {
  a: Float32Array;
  b: Float32Array;
  /** Of the result; 4 axes, the first ones 1 where fewer are needed. */
  shape: readonly number[];
  /** Elements of `a` from one index of an axis to the next; 0 repeats it along the axis. The last is 0 or 1. */
  aStrides: readonly number[];
  bStrides: readonly number[];
}

/** Checked: the layout as kernels read it (shape, strides of a, strides of b, 4 each), and the size of the result. */
export function operandLayout({ a, b, shape, aStrides, bStrides }: BroadcastOperands): {
  layout: Float64Array;
  size: number;
} {
  checkFloat32('a', a);
  checkFloat32('b', b);
  if (shape.length !== 4 || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw invalid('shape', '4 positive integers', JSON.stringify(shape));
  }
  checkStrides('aStrides', aStrides, shape, a.length);
  checkStrides('bStrides', bStrides, shape, b.length);
  const layout = Float64Array.of(...shape, ...aStrides, ...bStrides);
  return { layout, size: shape[0] * shape[1] * shape[2] * shape[3] };
}

/** The strides reach exactly over the operand. */
function checkStrides(name: string, strides: readonly number[], shape: readonly number[], length: number): void {
  const fits = strides.length === 4 && strides.every((s) => Number.isSafeInteger(s) && s >= 0) && strides[3] <= 1;
  if (!fits) throw invalid(name, '4 integers >= 0, the last 0 or 1', JSON.stringify(strides));
  const reached = strides.reduce((last, stride, axis) => last + (shape[axis] - 1) * stride, 1);
  if (reached === length) return;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${name} to reach over ${length} values but it reaches over ${reached}.`,
  );
}
