import { z } from 'zod';
import type * as tf from '#tf';
import { EatDmlError, invalid } from '../errors.js';
import { parseOptions } from '../options.js';
import { part } from '../part.js';
import type { RandomStream } from '../random.js';

/** What attacked images are searched in, or found in. */
export interface AttackGallery {
  /** Clean embeddings, unit rows [m, d]. */
  embeddings: tf.Tensor2D;
  /** Class of each row; any other number for classes of none of the attacked images. */
  labels: Int32Array;
  /** Row of each attacked image's own clean self; -1 where it is not among them. */
  self: Int32Array;
}

/** The evaluated samples outside the attacked batch, as they stand, by class. */
export interface Rest {
  /** Sum of the embeddings of each class, [classes, d]. */
  sums: tf.Tensor2D;
  /** Samples of each class. */
  counts: Int32Array;
}

/** What an objective may know about the batch it attacks. */
export interface ObjectiveInputs {
  /** The batch's clean embeddings [n, d]; computed when first asked for. */
  clean(): tf.Tensor2D;
  /** Class of each sample: a row of the centroids. */
  labels?: Int32Array;
  /** Mean clean embedding of every class of the whole attacked set, [classes, d]. */
  centroids?: tf.Tensor2D;
  gallery?: AttackGallery;
  rest?: Rest;
  /** Draws what the objective leaves to chance; a stream of its own per batch and restart. */
  random: RandomStream;
}

/** Maps embeddings [n, d] (unit rows) to values [n] whose sum is ascended (a joint objective may return one value, [1]). */
export interface Bound {
  (embeddings: tf.Tensor2D): tf.Tensor1D;
  /** What restarts are compared by, [n], where each drew a goal of its own; the values themselves where absent. */
  across?(embeddings: tf.Tensor2D): tf.Tensor1D;
}

/** What an attack raises: a loss over embeddings, one value per sample. */
export interface Objective {
  readonly name: string;
  /** The samples' values depend on one another: the best whole batch is kept, not the best of each sample. */
  readonly joint: boolean;
  /** Its gradient vanishes at the clean image, so that an attack must start beside it. */
  readonly flatAtStart: boolean;
  /** Fewest classes of the attacked set that it can be bound with (default 1); an evaluation of fewer leaves it out. */
  readonly leastClasses?: number;
  /** Depends on the whole evaluated set: batches are attacked in turn, each against the rest as it stands. */
  readonly wholeSet?: boolean;
  /** It asks for a gallery: training then makes one of its batch. */
  readonly searches?: boolean;
  /**
   * Called once per batch and restart; what it creates lives as long as the attack.
   */
  bind(inputs: ObjectiveInputs): Bound;
  /** Bound likewise: above 0, [n], for samples that the metric it is after counts as lost. Further restarts leave them as they are. */
  lost?(inputs: ObjectiveInputs): (embeddings: tf.Tensor2D) => tf.Tensor1D;
}

/** An objective, as a schema. */
export const objectiveValue = z.custom<Objective>((value) => {
  const { name, joint, bind } = (value ?? {}) as Objective;
  return typeof name === 'string' && typeof joint === 'boolean' && typeof bind === 'function';
}, "an objective such as objective('proxy')");

/** An objective, as a part: `make` gives all of it but its name. */
export function objectivePart<const Name extends string, Options extends z.ZodObject>(
  name: Name,
  title: string,
  options: Options,
  make: (options: z.output<Options>, name: Name) => Omit<Objective, 'name'>,
) {
  return part(name, title, options, (given: z.input<Options>): Objective => {
    return { name, ...make(parseOptions(options, given), name) };
  });
}

/** An objective without options, as a part. */
export function plainObjective<const Name extends string>(
  name: Name,
  title: string,
  make: (name: Name) => Omit<Objective, 'name'>,
) {
  return objectivePart(name, title, z.strictObject({}), () => make(name));
}

/** The labels and centroids of `inputs`, or one error that says which objective misses what. */
export function requireCentroids(
  name: string,
  inputs: ObjectiveInputs,
): { labels: Int32Array; centroids: tf.Tensor2D } {
  const labels = requireLabels(name, inputs);
  const { centroids } = inputs;
  if (!centroids) throw missing(name, 'centroids');
  const classes = centroids.shape[0];
  if (classes < 2) throw invalid('centroids', 'at least two classes', classes);
  const bad = labels.find((label) => label < 0 || label >= classes);
  if (bad !== undefined) throw invalid('labels', `rows of the ${classes} centroids`, bad);
  return { labels, centroids };
}

export function requireLabels(name: string, { labels }: ObjectiveInputs): Int32Array {
  if (!labels) throw missing(name, 'labels');
  return labels;
}

export function requireGallery(name: string, { gallery }: ObjectiveInputs): AttackGallery {
  if (!gallery) throw missing(name, 'a gallery');
  return gallery;
}

function missing(objective: string, what: string): EatDmlError {
  return new EatDmlError('ERR_ARGUMENT', `Expected ${what} for the objective ${objective} but received none.`);
}
