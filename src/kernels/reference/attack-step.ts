import { batchOf, type Matrix, NORMS, type Norm } from '../matrix.js';
import { boxBounds, nextFloat, projectBall, UNBOUNDED } from './ball.js';
import { checkInside } from './project-perturbation.js';

export interface AttackStepArgs {
  origin: Matrix;
  current: Matrix;
  gradient: Matrix;
  /** Index into NORMS. */
  norm: number;
  epsilon: number;
  stepSize: number;
  lo?: number;
  hi?: number;
  out: Float32Array;
}

/** x' = origin + projection of (current + step(gradient) - origin), rounded toward the origin */
export function* attackStepReference(args: AttackStepArgs): Generator<void> {
  const { origin, current, gradient, epsilon, lo, hi, out } = args;
  const norm = NORMS[args.norm];
  const boxed = lo !== undefined && hi !== undefined;
  const d = origin.cols;
  if (boxed) checkInside('origin', origin.data, d, lo, hi);
  for (let row = 0; row < batchOf(origin) * origin.rows; row++) {
    const first = row * d;
    const step = stepOf(norm, gradient.data.subarray(first, first + d), args.stepSize);
    const delta = step.map((s, i) => current.data[first + i] - origin.data[first + i] + s);
    projectBall(norm, delta, epsilon, boxed ? boxBounds(origin.data, first, lo, hi) : UNBOUNDED);
    for (let i = 0; i < d; i++) {
      const x = origin.data[first + i];
      out[first + i] = towardOrigin(Math.fround(x + delta[i]), x, Math.abs(delta[i]));
    }
    yield;
  }
}

/** The float32 `moved`, or the one next to it on the side of `x` where rounding took it farther than `most` from there. */
export function towardOrigin(moved: number, x: number, most: number): number {
  return Math.abs(moved - x) > most ? nextFloat(moved, x) : moved;
}

export function stepOf(norm: Norm, gradient: Float32Array, size: number): Float64Array {
  const g = Float64Array.from(gradient);
  if (norm === 'linf') return g.map((v) => size * Math.sign(v));
  const length = norm === 'l2' ? Math.sqrt(g.reduce((s, v) => s + v * v, 0)) : g.reduce((s, v) => s + Math.abs(v), 0);
  return g.map((v) => (length > 0 ? (size / length) * v : 0));
}
