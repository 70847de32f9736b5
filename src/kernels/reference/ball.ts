import type { Norm } from '../matrix.js';

/** Bounds of a perturbation, entry by entry; low <= 0 <= high. */
export interface Bounds {
  low(i: number): number;
  high(i: number): number;
}

export const UNBOUNDED: Bounds = { low: () => Number.NEGATIVE_INFINITY, high: () => Number.POSITIVE_INFINITY };

/** The bounds that keep x + d in [lo, hi], for the row of `x` from `offset` on. */
export function boxBounds(x: Float32Array, offset: number, lo: number, hi: number): Bounds {
  return { low: (i) => lo - x[offset + i], high: (i) => hi - x[offset + i] };
}

const clip = (v: number, i: number, b: Bounds) => Math.min(Math.max(v, b.low(i)), b.high(i));

/** Projects `delta` in place, in double: bisection on the scale (l2) or threshold (l1) that meets the radius. */
export function projectBall(norm: Norm, delta: Float64Array, epsilon: number, bounds: Bounds): void {
  if (norm === 'linf') {
    const radius = floatBelow(epsilon);
    for (let i = 0; i < delta.length; i++) delta[i] = clip(Math.min(Math.max(delta[i], -radius), radius), i, bounds);
    return;
  }
  const shrink = norm === 'l2' ? scaled : thresholded;
  const size = norm === 'l2' ? (v: Float64Array) => Math.sqrt(sumOf(v, (x) => x * x)) : magnitude;
  const at = (t: number) => delta.map((v, i) => clip(shrink(v, t, maximum), i, bounds));
  const maximum = delta.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  let projected = at(1);
  if (size(projected) > epsilon) projected = at(largest((t) => size(at(t)) <= epsilon * (1 - 1e-12)));
  delta.set(projected);
}

/** t in [0, 1] runs from the whole entry (1) to nothing (0). */
const scaled = (v: number, t: number) => t * v;
const thresholded = (v: number, t: number, maximum: number) =>
  Math.sign(v) * Math.max(Math.abs(v) - (1 - t) * maximum, 0);
const magnitude = (v: Float64Array) => sumOf(v, Math.abs);
const sumOf = (v: Float64Array, f: (x: number) => number) => v.reduce((s, x) => s + f(x), 0);

/** The largest t in [0, 1] for which a monotone condition holds, to the last bit. */
function largest(holds: (t: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let round = 0; round < 80; round++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const bits = new DataView(new ArrayBuffer(4));

/** The float32 next to the float32 `x` in the direction of `target`. */
export function nextFloat(x: number, target: number): number {
  if (x === target) return x;
  if (x === 0) return target > 0 ? 2 ** -149 : -(2 ** -149);
  bits.setFloat32(0, x);
  bits.setInt32(0, bits.getInt32(0) + (x < target === x > 0 ? 1 : -1));
  return bits.getFloat32(0);
}

/** The largest float32 <= x. */
export function floatBelow(x: number): number {
  const f = Math.fround(x);
  return f > x ? nextFloat(f, Number.NEGATIVE_INFINITY) : f;
}

/** The float32 next to x on zero's side. */
export function floatTowardZero(x: number): number {
  return x < 0 ? -floatBelow(-x) : floatBelow(x);
}
