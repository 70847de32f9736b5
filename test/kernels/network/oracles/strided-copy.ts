import { COPY_AXES, type StridedCopyArgs } from '../../../../src/kernels/network/strided-copy.js';

/** out[outOffset + Σ i_k outStride_k] = x[xOffset + Σ i_k xStride_k] */
export function* stridedCopyReference({ x, layout, out }: StridedCopyArgs): Generator<void> {
  const shape = layout.subarray(0, COPY_AXES);
  const count = shape.reduce((product, size) => product * size, 1);
  const [xOffset, outOffset] = layout.subarray(3 * COPY_AXES);
  for (let index = 0; index < count; index++) {
    let [from, to, rest] = [xOffset, outOffset, index];
    for (let axis = COPY_AXES - 1; axis >= 0; axis--) {
      from += (rest % shape[axis]) * layout[COPY_AXES + axis];
      to += (rest % shape[axis]) * layout[2 * COPY_AXES + axis];
      rest = Math.floor(rest / shape[axis]);
    }
    out[to] = x[from];
    if (index % 65536 === 0) yield;
  }
}
