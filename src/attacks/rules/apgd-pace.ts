import type * as tf from '#tf';
import type { Readable } from '../../tfjs/index.js';

/** Tensors that a step of Auto-PGD hands on: where it stands and stood, and the best point so far, each with its gradient. */
export type Points = Record<'current' | 'previous' | 'gradient' | 'best' | 'bestGradient', tf.Tensor4D>;

/** How long the steps of Auto-PGD are and where they lead, per sample (or for a whole batch whose values belong together). */
export interface Pace {
  /** Steps after which it looks back. */
  readonly marks: ReadonlySet<number>;
  /** The next iterate, inside ball and box. */
  next(points: Points): tf.Tensor4D;
  /** Told the values of every iterate. */
  note(values: Float64Array): void;
  /** At a mark, told the best points and their values: 1 for each that the search is to return to. */
  lookBack(best: tf.Tensor4D, values: Float64Array): Readable<Uint8Array>;
}
