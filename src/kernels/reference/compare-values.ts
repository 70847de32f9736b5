import { operandPlaces } from './broadcast.js';

/** The operations in the order of the contract's enum. */
export const COMPARE_OPS = ['equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'notEqual'] as const;

export type CompareOp = (typeof COMPARE_OPS)[number];

export interface CompareValuesArgs {
  /** Index into COMPARE_OPS. */
  op: number;
  a: Float32Array;
  b: Float32Array;
  /** Shape, strides of a, strides of b: 4 numbers each. */
  layout: Float64Array;
  out: Uint8Array;
}

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
