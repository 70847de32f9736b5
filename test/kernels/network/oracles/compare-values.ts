import { COMPARE_OPS, type CompareOp, type CompareValuesArgs } from '../../../../src/kernels/network/compare-values.js';
import { operandPlaces } from './broadcast.js';

const operations: Record<CompareOp, (a: number, b: number) => boolean> = {
  equal: (a, b) => a === b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  notEqual: (a, b) => a !== b,
};

/** out[i,j,k,l] = a[i,j,k,l] op b[i,j,k,l] ? 1 : 0, an operand repeated where its stride is 0 */
export function* compareValuesReference({ op, a, b, layout, out }: CompareValuesArgs): Generator<void> {
  const operation = operations[COMPARE_OPS[op]];
  for (let index = 0; index < out.length; index++) {
    const [i, j] = operandPlaces(layout, index);
    out[index] = operation(a[i], b[j]) ? 1 : 0;
    if (index % 4096 === 0) yield;
  }
}
