import type { GatherArgs } from '../../../../src/kernels/network/gather.js';

/** out[b,o,j,i] = x[b,o,indices[b,j],i] */
export function* gatherReference({ x, indices, batch, outer, size, inner, count, out }: GatherArgs): Generator<void> {
  for (let block = 0; block < batch * outer; block++) {
    for (let j = 0; j < count; j++) {
      const from = (block * size + indices[Math.floor(block / outer) * count + j]) * inner;
      for (let i = 0; i < inner; i++) out[(block * count + j) * inner + i] = x[from + i];
    }
    yield;
  }
}
