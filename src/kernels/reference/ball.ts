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
  const size = norm === 'l2' ? (v: Float64Array) => Math.sqrt(sumOf(v, (x) => x * x)) : magnitude;
  const radius = epsilon * (1 - 1e-12);
  const kept = delta.map((v, i) => clip(v, i, bounds));
  if (size(kept) <= epsilon) delta.set(kept);
  else if (norm === 'l2')
    shrink(
      delta,
      bounds,
      (v, t) => t * v,
      0,
      1,
      (v) => size(v) <= radius,
    );
  else projectL1(delta, bounds, radius);
}

/**
 * The threshold is base - shift. Above half of the largest magnitude it is counted from that one: |v| - base is exact there, and
 * what is left of large entries in a small ball is not lost in the threshold's own rounding.
 */
function projectL1(delta: Float64Array, bounds: Bounds, radius: number): void {
  const largest = delta.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const fits = (v: Float64Array) => magnitude(v) <= radius;
  const left = (base: number) => (v: number, shift: number) => Math.sign(v) * Math.max(Math.abs(v) - base + shift, 0);
  const halfway = delta.map((v, i) => clip(left(largest)(v, largest / 2), i, bounds));
  if (fits(halfway)) shrink(delta, bounds, left(0), -largest / 2, 0, fits);
  else shrink(delta, bounds, left(largest), 0, largest / 2, fits);
}

/**
 * Takes the largest t in [low, high] for which what `entry` leaves of `delta`, clipped, fits: to the last bit. Where the bounds are no
 * numbers, of rows that nobody checked, it takes low.
 */
function shrink(
  delta: Float64Array,
  bounds: Bounds,
  entry: (v: number, t: number) => number,
  low: number,
  high: number,
  fits: (projected: Float64Array) => boolean,
): void {
  const at = (t: number) => delta.map((v, i) => clip(entry(v, t), i, bounds));
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    if (fits(at(middle))) low = middle;
    else high = middle;
  }
  delta.set(at(low));
}

const magnitude = (v: Float64Array) => sumOf(v, Math.abs);
const sumOf = (v: Float64Array, f: (x: number) => number) => v.reduce((s, x) => s + f(x), 0);

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
