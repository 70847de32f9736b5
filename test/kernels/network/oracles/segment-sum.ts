import type { SegmentSumArgs } from '../../../../src/kernels/network/segment-sum.js';

/** out[s,i] = Σ x[r,i] over the rows with ids[r] = s */
export function* segmentSumReference({ x, ids, rows, inner, segments, out }: SegmentSumArgs): Generator<void> {
  const sums = new Float64Array(segments * inner);
  for (let r = 0; r < rows; r++) {
    if (ids[r] < 0 || ids[r] >= segments) continue;
    for (let i = 0; i < inner; i++) sums[ids[r] * inner + i] += x[r * inner + i];
    if (r % 4096 === 0) yield;
  }
  out.set(sums);
}
