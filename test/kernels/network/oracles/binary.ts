import { BINARY_OPS, type BinaryArgs, type BinaryOp } from '../../../../src/kernels/network/binary.js';
import { operandPlaces } from './broadcast.js';

const operations: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  mul: (a, b) => a * b,
  squaredDifference: (a, b) => (a - b) * (a - b),
  sub: (a, b) => a - b,
  reluGrad: (a, b) => (b > 0 ? a : 0),
  relu6Grad: (a, b) => (b > 0 && b < 6 ? a : 0),
  addRelu: (a, b) => Math.max(0, a + b),
  pow: (a, b) => a ** b,
};

/** out[i,j,k,l] = op(a[i,j,k,l], b[i,j,k,l]), an operand repeated where its stride is 0 */
export function* binaryReference({ op, a, b, layout, out }: BinaryArgs): Generator<void> {
  const operation = operations[BINARY_OPS[op]];
  for (let index = 0; index < out.length; index++) {
    const [i, j] = operandPlaces(layout, index);
    out[index] = operation(a[i], b[j]);
    if (index % 4096 === 0) yield;
  }
}
