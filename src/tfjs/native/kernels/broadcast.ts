/** Two operands' axes, as few as possible; a stride of 0 repeats an operand along an axis. */
export interface Broadcast {
  shape: [number, number, number, number];
  aStrides: [number, number, number, number];
  bStrides: [number, number, number, number];
}

/** Axes that run on in both operands are joined; undefined where more than 4 are left or the shapes do not fit. */
export function broadcast(aShape: number[], bShape: number[]): Broadcast | undefined {
  const axes: { size: number; a: number; b: number }[] = [];
  const rank = Math.max(aShape.length, bShape.length);
  let aStride = 1;
  let bStride = 1;
  for (let axis = 1; axis <= rank; axis++) {
    const aSize = aShape[aShape.length - axis] ?? 1;
    const bSize = bShape[bShape.length - axis] ?? 1;
    if (aSize !== bSize && aSize !== 1 && bSize !== 1) return undefined;
    const size = Math.max(aSize, bSize);
    if (size === 1) continue;
    const a = aSize === 1 ? 0 : aStride;
    const b = bSize === 1 ? 0 : bStride;
    const inner = axes.at(-1);
    if (inner && a === inner.a * inner.size && b === inner.b * inner.size) inner.size *= size;
    else axes.push({ size, a, b });
    aStride *= aSize;
    bStride *= bSize;
  }
  if (axes.length > 4) return undefined;
  while (axes.length < 4) axes.push({ size: 1, a: 0, b: 0 });
  axes.reverse();
  const column = (key: 'size' | 'a' | 'b') => axes.map((axis) => axis[key]) as Broadcast['shape'];
  return { shape: column('size'), aStrides: column('a'), bStrides: column('b') };
}
