import * as tf from '#tf';
import type { Embedder } from '../models/index.js';
import { requireFinite, valueAndGradient } from './finite.js';
import type { Objective, ObjectiveInputs } from './objective.js';
import { type Moving, type MpgdSettings, momentumStep } from './rules/mpgd.js';

/** The objective of all embeddings [n, d] at once, [1] or [n], and its gradient by each, [n, d]. */
export function bySet(
  objective: Objective,
  inputs: ObjectiveInputs,
  embeddings: tf.Tensor2D,
): { value: tf.Tensor1D; gradient: tf.Tensor2D } {
  const what = `the objective ${objective.name}`;
  const by = 'the embeddings';
  const found = tf.tidy(() => valueAndGradient({ values: objective.bind(inputs), objective: what }, embeddings, by));
  requireFinite(`values of ${what}`, found.value);
  requireFinite(`gradient of ${what} by ${by}`, found.gradient);
  return found;
}

/** What moves a batch of the set. */
export interface SetStep {
  model: Pick<Embedder, 'apply'>;
  /** Clean images [n, h, w, c]. */
  images: tf.Tensor4D;
  /** Where they stand. */
  moving: Moving;
  /** Gradient of the objective by their embeddings, [n, d]. */
  gradient: tf.Tensor2D;
  settings: MpgdSettings;
  step: number;
}

/** One step of a batch along the set's gradient, taken through the network; the caller disposes the result. */
export function stepOfSet({ model, images, moving, gradient, settings, step }: SetStep): Required<Moving> {
  return tf.tidy(() => {
    const { apply } = model.apply.frozen?.() ?? model;
    const values = (x: tf.Tensor4D) => tf.sum<tf.Tensor1D>(tf.mul(apply(x), gradient), 1);
    const back = valueAndGradient({ values, objective: 'the embeddings' }, moving.current).gradient;
    requireFinite('gradient of the embeddings by the images', back);
    return momentumStep(images, moving, back, settings, step);
  });
}
