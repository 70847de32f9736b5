import * as tf from '#tf';
import type { Reading } from '../../tfjs/index.js';
import type { Ascent } from '../ascent.js';
import { intoBall, largestSigns } from '../ball.js';
import { perSample } from '../candidate.js';
import type { Pace, Points } from './apgd-pace.js';
import type { CommonSettings } from './common.js';

/** Share of the values that the first steps move from a random start. */
const FIRST_SHARE = 0.2;
/** What the best point's count of moved values, and a step that is kept up, are divided by. */
const REDUCTION = 1.5;
/** A best point with fewer moved values than this share of the last one's is sparser: the search starts anew from it. */
const SPARSER = 0.95;
/** Steps are at least epsilon over this. */
const SHORTEST = 10;

/**
 * Auto-PGD in l1 (Croce and Hein, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", ICML 2021,
 * algorithm 2): x' = P(x + eta d), d the signs of the largest gradient values in equal shares. Every 4% of the steps the
 * share of values that move is set to that of the best point over 1.5; where this has become sparser, eta is epsilon
 * again and the search returns to its best point, else eta is divided by 1.5, down to epsilon / 10.
 */
export class SparsePace implements Pace {
  readonly marks: ReadonlySet<number>;
  private readonly stepSize: Float64Array;
  /** Share of the values that move, per sample. */
  private shares: number[];
  /** Moved values of the best point at the last mark, per sample (or of a whole batch). */
  private moved: number[];

  /** `given`: moved values of the start, per sample, where the caller gave it. */
  private constructor(
    private readonly ascent: Ascent,
    private readonly settings: CommonSettings,
    given: number[] | undefined,
  ) {
    const { images } = ascent;
    const every = Math.max(Math.trunc(0.04 * settings.steps), 1);
    const marks = Array.from({ length: Math.floor(settings.steps / every) }, (_, i) => (i + 1) * every);
    this.marks = new Set(marks);
    const size = images.size / images.shape[0];
    const counts = given ?? new Array<number>(images.shape[0]).fill(size);
    this.shares = counts.map((count) => (given ? count / size / REDUCTION : FIRST_SHARE));
    this.moved = this.together(counts);
    this.stepSize = new Float64Array(this.moved.length).fill(settings.epsilon);
  }

  static *of(ascent: Ascent, settings: CommonSettings): Reading<SparsePace> {
    return new SparsePace(ascent, settings, ascent.startGiven ? yield* movedBy(ascent, ascent.start) : undefined);
  }

  next({ current, gradient }: Points): tf.Tensor4D {
    const { ascent, settings } = this;
    const size = current.size / current.shape[0];
    // The smallest value that still moves is at this place of the ascending order.
    const places = this.shares.map((share) => Math.trunc(Math.min(Math.max((1 - share) * size, 0), size - 1)));
    const signs = largestSigns(
      gradient,
      places.map((place) => size - place),
    );
    const count = tf.maximum(tf.sum(tf.abs(signs), [1, 2, 3], true), 1);
    const move = tf.mul(tf.div(signs, count), perSample(this.stepSize));
    return intoBall(ascent.images, tf.add(current, move), settings);
  }

  note(): void {}

  *lookBack(best: tf.Tensor4D): Reading<Uint8Array> {
    const { epsilon } = this.settings;
    const counts = yield* movedBy(this.ascent, best);
    const size = best.size / best.shape[0];
    const moved = this.together(counts);
    const sparser = Uint8Array.from(moved, (count, i) => (count / this.moved[i] < SPARSER ? 1 : 0));
    for (const [i, anew] of sparser.entries()) {
      this.stepSize[i] = anew ? epsilon : Math.max(this.stepSize[i] / REDUCTION, epsilon / SHORTEST);
    }
    this.shares = counts.map((count) => count / size / REDUCTION);
    this.moved = moved;
    return sparser;
  }

  private together(counts: number[]): number[] {
    return this.ascent.joint ? [counts.reduce((a, b) => a + b, 0)] : counts;
  }
}

/** How many values of each sample differ from the clean ones. */
function* movedBy({ images }: Ascent, x: tf.Tensor4D): Reading<number[]> {
  return Array.from(yield tf.tidy(() => tf.sum(tf.cast(tf.notEqual(x, images), 'float32'), [1, 2, 3])));
}
