import { LOGICAL_OPS, type LogicalArgs, type LogicalOp } from '../../../../src/kernels/network/logical.js';

const operations: Record<LogicalOp, (a: number, b: number) => number> = {
  and: (a, b) => a & b,
  not: (a) => 1 - a,
  or: (a, b) => a | b,
};

/** out[i] = op(a[i], b[i]) of flags, 0 or 1 */
export function* logicalReference({ op, a, b, size, out }: LogicalArgs): Generator<void> {
  const operation = operations[LOGICAL_OPS[op]];
  for (let i = 0; i < size; i++) out[i] = operation(a[i], b?.[i] ?? 0);
  yield;
}
