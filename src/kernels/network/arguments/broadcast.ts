import { EatDmlError, invalid } from '../../../errors.js';
import { checkIntegers } from '../../integers.js';
import { checkFloat32 } from '../../matrix.js';
import { lengthOf } from '../../typed-arrays.js';

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
  checkIntegers('shape', shape, 4, 1);
  checkStrides('aStrides', aStrides, shape, lengthOf(a));
  checkStrides('bStrides', bStrides, shape, lengthOf(b));
  const layout = Float64Array.of(...shape, ...aStrides, ...bStrides);
  return { layout, size: shape[0] * shape[1] * shape[2] * shape[3] };
}

/** The strides reach exactly over the operand. */
function checkStrides(name: string, strides: readonly number[], shape: readonly number[], length: number): void {
  checkIntegers(name, strides, 4, 0);
  if (strides[3] > 1) throw invalid(`${name}[3]`, '0 or 1', strides[3]);
  const reached = strides.reduce((last, stride, axis) => last + (shape[axis] - 1) * stride, 1);
  if (reached === length) return;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${name} to reach over ${length} values but it reaches over ${reached}.`,
  );
}
