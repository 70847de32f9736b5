/** Where element `index` of a result reads its operands; `layout`: shape, strides of a, strides of b, 4 numbers each. */
export function operandPlaces(layout: Float64Array, index: number): [a: number, b: number] {
  let [a, b, rest] = [0, 0, index];
  for (let axis = 3; axis >= 0; axis--) {
    const at = rest % layout[axis];
    a += at * layout[4 + axis];
    b += at * layout[8 + axis];
    rest = Math.floor(rest / layout[axis]);
  }
  return [a, b];
}
