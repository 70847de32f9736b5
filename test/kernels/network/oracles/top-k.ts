import type { TopKArgs } from '../../../../src/kernels/network/top-k.js';

/** The k largest of each row, the largest first; NaN before every number, the lowest column first at ties. */
export function* topKReference({ x, rows, cols, k, values, indices }: TopKArgs): Generator<void> {
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * cols, (r + 1) * cols);
    const nan = (column: number) => (Number.isNaN(row[column]) ? 1 : 0);
    const order = Array.from(row.keys()).sort(
      (p, q) => nan(q) - nan(p) || (row[q] > row[p] ? 1 : row[q] < row[p] ? -1 : p - q),
    );
    for (let i = 0; i < k; i++) {
      values[r * k + i] = row[order[i]];
      indices[r * k + i] = order[i];
    }
    yield;
  }
}
