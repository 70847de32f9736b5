import type { SoftmaxArgs } from '../../../../src/kernels/network/softmax.js';

/** out[r,c] = e^(x[r,c] - m) / Σ_c e^(x[r,c] - m), m = max x[r] */
export function* softmaxReference({ x, rows, cols, out }: SoftmaxArgs): Generator<void> {
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * cols, (r + 1) * cols);
    const largest = row.reduce((m, value) => Math.max(m, value), Number.NEGATIVE_INFINITY);
    const powers = Float64Array.from(row, (value) => Math.exp(value - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    out.set(
      powers.map((power) => power / sum),
      r * cols,
    );
    yield;
  }
}
