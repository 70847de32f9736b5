/** Axes of a copy. */
export const COPY_AXES = 6;

export interface StridedCopyArgs {
  x: Float32Array;
  xSize: number;
  outSize: number;
  /** Shape, strides of x, strides of out, COPY_AXES numbers each; then the two offsets. */
  layout: Float64Array;
  out: Float32Array;
}

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
