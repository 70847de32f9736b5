import type { RandomStream } from '../../random.js';
import type { Patchwork } from './square.js';

/** Where a square lies: all of it inside the image. */
type Window = { top: number; left: number; side: number };

/**
 * Two pyramids of opposite sign, one over the other, of length 1 each and together: the update that the paper found images
 * to react to most. Transposed at random.
 */
export function pyramids(side: number, transposed: boolean): Float64Array {
  const upper = Math.floor(side / 2);
  const values = new Float64Array(side * side);
  values.set(pyramid(upper, side));
  values.set(
    pyramid(side - upper, side).map((value) => -value),
    upper * side,
  );
  const length = lengthOf(values);
  return values.map((_, i) => values[transposed ? (i % side) * side + Math.floor(i / side) : i] / length);
}

/** rows x cols of length 1: Σ_{k > d} 1 / k² at the distance d, in rings of squares, from the one peak at half of both. */
function pyramid(rows: number, cols: number): Float64Array {
  const [middle, centre] = [Math.floor(rows / 2), Math.floor(cols / 2)];
  const values = new Float64Array(rows * cols);
  for (let i = 0; i < values.length; i++) {
    const ring = Math.max(Math.abs(Math.floor(i / cols) - middle), Math.abs((i % cols) - centre));
    for (let k = ring; k <= Math.max(middle, centre); k++) values[i] += 1 / (k + 1) ** 2;
  }
  const length = lengthOf(values);
  return values.map((value) => value / length);
}

/** The start: tiles of pyramids, a fifth of the image wide, random signs per channel, scaled to length epsilon. */
export function firstPyramids({ delta, shape: [h, w, c] }: Patchwork, epsilon: number, random: RandomStream): void {
  const shorter = Math.min(h, w);
  const side = Math.max(1, Math.floor(shorter / 5));
  const margin = Math.max(0, Math.floor((shorter - 5 * side) / 2));
  for (let top = margin; top + side <= h; top += side) {
    for (let left = margin; left + side <= w; left += side) {
      const shape = pyramids(side, random.uniform() < 0.5);
      for (let k = 0; k < c; k++) {
        const sign = random.uniform() < 0.5 ? -1 : 1;
        for (const [at, i] of indices({ top, left, side }, w, c, k).entries()) delta[i] += sign * shape[at];
      }
    }
  }
  const scale = epsilon / Math.max(lengthOf(delta), 1e-12);
  for (let i = 0; i < delta.length; i++) delta[i] *= scale;
}

/** Windows of the l2 search are odd and no smaller than 3, where the image has room for that. */
export function l2Side(side: number, h: number, w: number): number {
  const odd = Math.max(side, 3) + (Math.max(side, 3) % 2 === 0 ? 1 : 0);
  const room = Math.min(h, w);
  return Math.min(odd, room - (room > 2 && room % 2 === 0 ? 1 : 0));
}

/**
 * One update (algorithm 3 of the paper) of a perturbation as the box left it: the second window is emptied, and what length
 * both had, with what the whole perturbation has not used or lost to the box, goes to the first: the pattern there plus
 * fresh pyramids of random sign. So all of it has length epsilon again.
 */
export function moveMass({ delta, shape }: Patchwork, side: number, epsilon: number, random: RandomStream): void {
  const [h, w, c] = shape;
  const window = (): Window => ({ top: random.integer(h - side + 1), left: random.integer(w - side + 1), side });
  const [into, from] = [window(), window()];
  const fresh = pyramids(side, random.uniform() < 0.5);
  const unused = Math.max(0, epsilon ** 2 - lengthOf(delta) ** 2);
  for (let k = 0; k < c; k++) {
    const [toIndices, fromIndices] = [indices(into, w, c, k), indices(from, w, c, k)];
    const both = new Set([...toIndices, ...fromIndices]);
    const available = Math.sqrt([...both].reduce((sum, i) => sum + delta[i] ** 2, unused / c));
    const before = lengthOf(toIndices.map((i) => delta[i]));
    const sign = random.uniform() < 0.5 ? -1 : 1;
    const mixed = toIndices.map((i, at) => sign * fresh[at] + (before > 0 ? delta[i] / before : 0));
    const length = Math.max(lengthOf(mixed), 1e-12);
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
