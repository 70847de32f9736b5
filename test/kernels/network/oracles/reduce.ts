import { REDUCE_OPS, type ReduceArgs } from '../../../../src/kernels/network/reduce.js';

/** out[o,i] = op over r of x[o,r,i] */
export function* reduceReference({ op, x, outer, reduced, inner, out }: ReduceArgs): Generator<void> {
  const name = REDUCE_OPS[op];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let result = name === 'max' ? Number.NEGATIVE_INFINITY : name === 'min' ? Number.POSITIVE_INFINITY : 0;
      for (let r = 0; r < reduced; r++) {
        const value = x[(o * reduced + r) * inner + i];
        if (name === 'max') result = Math.max(result, value);
        else if (name === 'min') result = Math.min(result, value);
        else result += value;
      }
      out[o * inner + i] = name === 'mean' ? result / reduced : result;
    }
    yield;
  }
}
