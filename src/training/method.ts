import { z } from 'zod';
import type * as tf from '#tf';
import type { MetricLoss } from '../losses/index.js';
import type { Embedder } from '../models/index.js';

/** One member of the ensemble in training: a network and the class proxies it is trained with, [classes, d]. */
export interface Member {
  readonly embedder: Embedder;
  readonly proxies: tf.Variable;
}

/** One step of training, as the hooks see it. */
export interface TrainingStep {
  /** Every pass through their embedders is counted. */
  readonly members: readonly Member[];
  /** The whole batch, clean, [n, h, w, c] in [0, 1]. */
  readonly images: tf.Tensor4D;
  /** Class of each image of the batch: a row of the proxies. */
  readonly labels: Int32Array;
  /** Which rows of the batch each member learns from, ascending. */
  readonly rows: readonly Int32Array[];
  /** Which rows of the batch each head of a network learns from, ascending; of a method with heads. */
  readonly headRows?: readonly Int32Array[];
  readonly loss: MetricLoss;
  readonly seed: number;
  /** Steps made before this one, since the start of training. */
  readonly step: number;
  /** A number per member that a method may leave for the next step; empty before the first. Checkpoints keep it. */
  readonly memory?: (number | null)[];
}

/** What one member is updated on. */
export interface Crafted {
  /** As many images as the member has rows, in that order; or several such sets, one after the other. */
  images: tf.Tensor4D;
  /** Embeddings to be drawn to, a constant under the gradient, [rows, d]. */
  target?: tf.Tensor2D;
  /** Whatever else the method's own loss wants, constants under the gradient; disposed with the rest. */
  extra?: Readonly<Record<string, tf.Tensor>>;
}

/** One member's part of a step; `member` indexes the lists of `step`. */
export interface MemberUpdate extends Crafted {
  readonly step: TrainingStep;
  readonly member: number;
  /** Class of each image, [rows]. */
  readonly labels: tf.Tensor1D;
}

/**
 * A training method: three hooks, called by the one loop. Every step draws one batch from the union of the members'
 * data; member i learns from those of its images that are its own, so an epoch shows a member each of its images once
 * and methods with the same number of epochs have drawn the same batches.
 */
export interface Method {
  /** Name and options as plain values, stored in checkpoints and reports. */
  readonly config: { readonly name: string } & Readonly<Record<string, unknown>>;
  readonly members: number;
  /** Adversarial images have batch normalisations of their own: it embeds them in the mode 'adversarial', clean ones with true. */
  readonly batchNorm?: 'split';
  /** Embeddings side by side over one trunk that its networks must have, each of as many columns as the model has. Default 1. */
  readonly heads?: number;
  /** Which samples each member learns from: `members` lists of indices into `labels`, none empty. Called once. */
  memberData(labels: Int32Array, seed: number): Int32Array[];
  /** Which samples each head learns from, of a method with heads: as many lists as heads. Called once. */
  headData?(labels: Int32Array, seed: number): Int32Array[];
  /** What each member is updated on in this step; called once per step, before any member moves. */
  craft(step: TrainingStep): Crafted[];
  /** The loss of one member, differentiable in its variables; called once per member and step that gave it rows. */
  memberLoss(update: MemberUpdate): tf.Scalar;
}

/** A method, as a schema. */
export const methodValue = z.custom<Method>((value) => {
  const { config, members, memberData, craft, memberLoss } = (value ?? {}) as Method;
  const hooks = [memberData, craft, memberLoss].every((hook) => typeof hook === 'function');
  return hooks && Number.isSafeInteger(members) && members >= 1 && typeof config?.name === 'string';
}, 'a method like eat({...})');
