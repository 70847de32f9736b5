import type { RandomStream } from '../../random.js';
import type { Patchwork } from './square.js';

/** Where a square lies: all of it inside the image. */
type Window = { top: number; left: number; side: number };

/**
 * Two pyramids of opposite sign, one over the other, of length 1: the update that the paper found images to react to
 * most. The lower half is the upper one negated; transposed at random.
 */
function pyramids(side: number, random: RandomStream): Float64Array {
  const values = new Float64Array(side * side);
  const half = Math.max(1, Math.floor(side / 2));
  for (let y = 0; y < side; y++) {
    const [row, rows, sign] = y < half ? [y, half, 1] : [y - half, side - half, -1];
    for (let x = 0; x < side; x++) values[y * side + x] = sign * pyramidHeight(row, x, rows, side);
  }
  const length = lengthOf(values);
  const unit = values.map((value) => value / length);
  if (random.uniform() < 0.5) return unit;
  return unit.map((_, i) => unit[(i % side) * side + Math.floor(i / side)]);
}

/** eta(r) = Σ_{k <= rings outside} 1 / (n + 1 - k)², largest in the middle of rows x cols. */
function pyramidHeight(row: number, col: number, rows: number, cols: number): number {
  const n = Math.floor(Math.max(rows, cols) / 2);
  const ring = Math.min(n, Math.max(Math.abs(row - (rows - 1) / 2), Math.abs(col - (cols - 1) / 2)));
  let height = 0;
  for (let k = Math.floor(ring); k <= n; k++) height += 1 / (k + 1) ** 2;
  return height;
}

/** The start: a grid of pyramids over the image, random signs per channel, scaled to length epsilon. */
export function firstPyramids({ delta, shape: [h, w, c] }: Patchwork, epsilon: number, random: RandomStream): void {
  const side = Math.max(2, Math.floor(Math.min(h, w) / 5));
  for (let top = 0; top + side <= h; top += side) {
    for (let left = 0; left + side <= w; left += side) {
      const shape = pyramids(side, random);
      for (let k = 0; k < c; k++) {
        const sign = random.uniform() < 0.5 ? -1 : 1;
        shape.forEach((value, i) => {
          delta[((top + Math.floor(i / side)) * w + left + (i % side)) * c + k] += sign * value;
        });
      }
    }
  }
  const scale = epsilon / Math.max(lengthOf(delta), 1e-30);
  for (let i = 0; i < delta.length; i++) delta[i] *= scale;
}

/**
 * One update (algorithm 3 of the paper): the second window is emptied, and what length it had, with what the whole
 * perturbation has not used, goes to the first: the pattern there plus fresh pyramids of random sign.
 */
export function moveMass({ delta, shape }: Patchwork, side: number, epsilon: number, random: RandomStream): void {
  const [h, w, c] = shape;
  const window = (): Window => ({ top: random.integer(h - side + 1), left: random.integer(w - side + 1), side });
  const [into, from] = [window(), window()];
  const unused = Math.max(0, epsilon ** 2 - delta.reduce((sum, value) => sum + value * value, 0));
  const fresh = pyramids(side, random);
  for (let k = 0; k < c; k++) {
    const [toIndices, fromIndices] = [indices(into, w, c, k), indices(from, w, c, k)];
    const union = new Set([...toIndices, ...fromIndices]);
    const available = Math.sqrt([...union].reduce((sum, i) => sum + delta[i] ** 2, unused / c));
    const before = lengthOf(toIndices.map((i) => delta[i]));
    const sign = random.uniform() < 0.5 ? -1 : 1;
    const mixed = toIndices.map((i, at) => sign * fresh[at] + (before > 0 ? delta[i] / before : 0));
    const length = Math.max(lengthOf(mixed), 1e-30);
    for (const i of fromIndices) delta[i] = 0;
    for (const [at, i] of toIndices.entries()) delta[i] = (mixed[at] / length) * available;
  }
}

/** The Euclidean length; an image has more values than a call may have arguments (Math.hypot). */
function lengthOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

function indices({ top, left, side }: Window, w: number, c: number, channel: number): number[] {
  return Array.from(
    { length: side * side },
    (_, i) => ((top + Math.floor(i / side)) * w + left + (i % side)) * c + channel,
  );
}
