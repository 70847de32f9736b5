import * as tf from '#tf';
import type { Ascent } from '../ascent.js';
import { intoBall, steepest } from '../ball.js';
import { perSample } from '../candidate.js';
import type { Pace, Points } from './apgd-pace.js';
import type { CommonSettings } from './common.js';

/** Weight of the new step against the last move. */
const ALPHA = 0.75;
/** A stretch between checkpoints must raise the objective in more than this share of its steps. */
const RHO = 0.75;

/** Where the step size is looked at: the first stretch is 22% of the steps, each next one 3% shorter, down to 6%. */
export function checkpoints(steps: number): number[] {
  // Rounded down as the authors' code does, rounding errors of the products included.
  const share = (part: number) => Math.max(Math.trunc(part * steps), 1);
  const [shorter, shortest] = [share(0.03), share(0.06)];
  const marks: number[] = [];
  for (let at = share(0.22), stretch = at; at <= steps; at += stretch) {
    marks.push(at);
    stretch = Math.max(stretch - shorter, shortest);
  }
  return marks;
}

/**
 * Auto-PGD in linf and l2 (Croce and Hein, ICML 2020, algorithm 1): z = P(x + eta d), x' = P(x + 0.75 (z - x) + 0.25 (x -
 * x_before)), d the steepest direction. At a checkpoint eta is halved and the search returns to its best point where 75%
 * of the steps rose or fewer, or where neither eta nor the best value changed since the last checkpoint. After a return the
 * last move still counts, x_best - x_before, and the next value is compared with that of the iterate that was left.
 * Adapted: the first step is compared with the start, where the authors' code compares it with 0; in l2 P is the exact
 * projection onto ball and box, where theirs clips to the box what it has scaled to the ball.
 */
export class HalvingPace implements Pace {
  readonly marks: ReadonlySet<number>;
  private readonly stepSize: Float64Array;
  private readonly bestBefore: Float64Array;
  private readonly rises: Float64Array;
  private last: Float64Array;
  private halvedBefore: Uint8Array;
  /** Steps since the last checkpoint. */
  private length = 0;
  private first = true;

  constructor(
    private readonly ascent: Ascent,
    private readonly settings: CommonSettings & { norm: 'linf' | 'l2' },
    values: Float64Array,
  ) {
    this.marks = new Set(checkpoints(settings.steps));
    this.stepSize = new Float64Array(values.length).fill(2 * settings.epsilon);
    this.bestBefore = Float64Array.from(values);
    this.rises = new Float64Array(values.length);
    this.last = values;
    // The first checkpoint looks at the rises alone.
    this.halvedBefore = new Uint8Array(values.length).fill(1);
  }

  next({ current, previous, gradient }: Points): tf.Tensor4D {
    const { ascent, settings } = this;
    const move = tf.mul(steepest(gradient, settings.norm), perSample(this.stepSize));
    const z = intoBall(ascent.images, tf.add(current, move), settings);
    const mixed = tf.add(tf.mul(tf.sub(z, current), ALPHA), tf.mul(tf.sub(current, previous), 1 - ALPHA));
    const next = this.first ? z : intoBall(ascent.images, tf.add(current, mixed), settings);
    this.first = false;
    return next;
  }

  note(values: Float64Array): void {
    for (const [i, value] of values.entries()) if (value > this.last[i]) this.rises[i]++;
    this.last = values;
    this.length++;
  }

  lookBack(_: tf.Tensor4D, best: Float64Array): Uint8Array {
    const { rises, halvedBefore, bestBefore, length } = this;
    const stalled = Uint8Array.from(best, (value, i) => {
      const few = rises[i] <= RHO * length;
      const stuck = !halvedBefore[i] && value <= bestBefore[i];
      return few || stuck ? 1 : 0;
    });
    for (const [i, halved] of stalled.entries()) if (halved) this.stepSize[i] /= 2;
    this.halvedBefore = stalled;
    this.bestBefore.set(best);
    rises.fill(0);
    this.length = 0;
    return stalled;
  }
}
