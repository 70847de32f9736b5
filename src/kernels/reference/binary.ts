/** The operations in the order of the contract's enum. */
export const BINARY_OPS = ['add', 'div', 'maximum', 'minimum', 'mul', 'squaredDifference', 'sub', 'reluGrad'] as const;

export type BinaryOp = (typeof BINARY_OPS)[number];

export interface BinaryArgs {
  /** Index into BINARY_OPS. */
  op: number;
  a: Float32Array;
  b: Float32Array;
  /** Shape, strides of a, strides of b: 4 numbers each. */
  layout: Float64Array;
  out: Float32Array;
}

const operations: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  mul: (a, b) => a * b,
  squaredDifference: (a, b) => (a - b) * (a - b),
  sub: (a, b) => a - b,
  reluGrad: (a, b) => (b > 0 ? a : 0),
};

/** out[i,j,k,l] = op(a[i,j,k,l], b[i,j,k,l]), an operand repeated where its stride is 0 */
export function* binaryReference({ op, a, b, layout, out }: BinaryArgs): Generator<void> {
  const operation = operations[BINARY_OPS[op]];
  const place = (strides: number, at: number[]) => at.reduce((sum, i, axis) => sum + i * layout[strides + axis], 0);
  for (let index = 0; index < out.length; index++) {
    const at = [0, 0, 0, 0];
    for (let axis = 3, rest = index; axis >= 0; axis--) {
      at[axis] = rest % layout[axis];
      rest = Math.floor(rest / layout[axis]);
    }
    out[index] = operation(a[place(4, at)], b[place(8, at)]);
    if (index % 4096 === 0) yield;
  }
}
