import { ARG_REDUCE_OPS, type ArgReduceArgs } from '../../../../src/kernels/network/arg-reduce.js';

/** out[o,i] = the r of the largest or smallest x[o,r,i], by a scan from r = 0 */
export function* argReduceReference({ op, x, outer, reduced, inner, out }: ArgReduceArgs): Generator<void> {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const value = (r: number) => x[(o * reduced + r) * inner + i];
      let best = 0;
      for (let r = 1; r < reduced; r++) {
        if (ARG_REDUCE_OPS[op] === 'max' ? value(r) > value(best) : value(r) < value(best)) best = r;
      }
      out[o * inner + i] = best;
    }
    yield;
  }
}
