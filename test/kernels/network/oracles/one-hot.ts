import type { OneHotArgs } from '../../../../src/kernels/network/one-hot.js';

/** out[r,c] = indices[r] = c ? on : off */
export function* oneHotReference({ indices, rows, depth, on, off, out }: OneHotArgs): Generator<void> {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < depth; c++) out[r * depth + c] = indices[r] === c ? on : off;
    if (r % 4096 === 0) yield;
  }
}
