import { batchOf, type Matrix, NORMS, outsideBox } from '../matrix.js';
import { boxBounds, floatTowardZero, projectBall, UNBOUNDED } from './ball.js';

export interface ProjectPerturbationArgs {
  delta: Matrix;
  /** Index into NORMS. */
  norm: number;
  epsilon: number;
  around?: Float32Array;
  lo?: number;
  hi?: number;
  out: Float32Array;
}

/** out = argmin |d - delta|² over the ball and, with `around`, lo <= around + d <= hi */
export function* projectPerturbationReference(args: ProjectPerturbationArgs): Generator<void> {
  const { delta, norm, epsilon, around, lo = 0, hi = 1, out } = args;
  const d = delta.cols;
  if (around) checkInside('around', around, d, lo, hi);
  for (let row = 0; row < batchOf(delta) * delta.rows; row++) {
    const work = Float64Array.from(delta.data.subarray(row * d, (row + 1) * d));
    projectBall(NORMS[norm], work, epsilon, around ? boxBounds(around, row * d, lo, hi) : UNBOUNDED);
    for (let i = 0; i < d; i++) out[row * d + i] = floatTowardZero(work[i]);
    yield;
  }
}

/** Throws for the first row that leaves the box. */
export function checkInside(name: string, x: Float32Array, cols: number, lo: number, hi: number): void {
  const at = x.findIndex((v) => !(v >= lo && v <= hi));
  if (at >= 0) throw outsideBox(name, Math.floor(at / cols));
}
