import type * as tf from '#tf';
import type { RandomStream } from '../random.js';

/** One restart of an attack, as the step rules see it. */
export interface Ascent {
  /** Clean images, the centre of the ball. */
  images: tf.Tensor4D;
  /** Where it begins, inside ball and box. */
  start: tf.Tensor4D;
  /** The caller gave it: it is no random point. */
  startGiven: boolean;
  /** The objective at images; differentiable. */
  values(x: tf.Tensor4D): tf.Tensor1D;
  /** The values belong together. */
  joint: boolean;
  /** What is raised, for errors: "the objective proxy". */
  objective: string;
  random: RandomStream;
}
