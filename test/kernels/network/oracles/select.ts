import type { SelectArgs } from '../../../../src/kernels/network/select.js';

/** out[r,i] = condition[r] = 1 ? t[r,i] : e[r,i] */
export function* selectReference({ condition, t, e, rows, inner, out }: SelectArgs): Generator<void> {
  for (let r = 0; r < rows; r++) {
    for (let i = r * inner; i < (r + 1) * inner; i++) out[i] = condition[r] === 1 ? t[i] : e[i];
    if (r % 4096 === 0) yield;
  }
}
