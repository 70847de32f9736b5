import * as tf from '@tensorflow/tfjs';
import {
  type FixedSettings,
  gradientsPerImage,
  OBJECTIVE_NAMES,
  type Objective,
  objective,
  type PgdOptions,
  pgd,
  runAttack,
} from '../attacks/index.js';
import { invalid } from '../errors.js';
import { Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import type { Member, MemberUpdate, TrainingStep } from './method.js';

/** The attack that a method trains against: PGD, 5 steps and `keep: 'last'` unless given otherwise. */
export interface TrainingAttack extends PgdOptions {
  /**
   * What it raises: `training-loss` (default), or an objective of the evaluation by its name, with the class proxies as
   * centroids; of several, one is drawn per step and member.
   */
  goal?: string | readonly string[];
}

/** A training attack with every default filled in. */
export interface CraftSettings extends FixedSettings {
  readonly goals: readonly string[];
}

export function trainingAttack({ goal = 'training-loss', ...attack }: TrainingAttack): CraftSettings {
  const goals = typeof goal === 'string' ? [goal] : [...goal];
  const known = ['training-loss', ...OBJECTIVE_NAMES];
  const unknown = goals.find((name) => !known.includes(name));
  if (unknown !== undefined || goals.length === 0)
    throw invalid('goal', `one or more of ${known.join(', ')}`, unknown ?? goals);
  return { ...pgd({ steps: 5, keep: 'last', ...attack }), goals };
}

/** Those rows of the batch's images; no copy where it is all of them. */
export function rowsOf(images: tf.Tensor4D, rows: Int32Array): tf.Tensor4D {
  if (rows.length === images.shape[0]) return tf.clone(images);
  if (rows.length === 0) return tf.tensor4d([], [0, ...images.shape.slice(1)] as typeof images.shape);
  return tf.tidy(() => tf.gather(images, tf.tensor1d(rows, 'int32')));
}

/**
 * Adversarial examples of those rows of the batch, crafted through the `sources` at once: on the sum of their training
 * losses (each with its own proxies), or on the goal drawn from the settings. `path` names the random stream below the
 * step; `start`, where given, is where the attack begins.
 */
export function craftOn(
  step: TrainingStep,
  sources: readonly number[],
  rows: Int32Array,
  settings: CraftSettings,
  path: string | number,
  start?: tf.Tensor4D,
): tf.Tensor4D {
  const { goals } = settings;
  const drawn = goals.length > 1 ? randomStream(step.seed, 'goal', step.step, path).integer(goals.length) : 0;
  const members = sources.map((i) => step.members[i]);
  const goal = goals[drawn] === 'training-loss' ? summedLoss(step, members) : objective(goals[drawn]);
  return craftWith(step, sources, rows, settings, path, goal, start);
}

/** {@link craftOn} with an objective of the method's own, over the sources' joint embedding. */
export function craftWith(
  step: TrainingStep,
  sources: readonly number[],
  rows: Int32Array,
  settings: FixedSettings,
  path: string | number,
  goal: Objective,
  start?: tf.Tensor4D,
): tf.Tensor4D {
  if (rows.length === 0) return rowsOf(step.images, rows);
  const members = sources.map((i) => step.members[i]);
  step.countGradients(rows.length * sources.length * gradientsPerImage(settings));
  return tf.tidy(() =>
    runAttack({
      model: new Ensemble(members.map(({ embedder }) => embedder)),
      images: rowsOf(step.images, rows),
      objective: goal,
      settings,
      labels: rows.map((row) => step.labels[row]),
      centroids: proxiesOf(members),
      start,
      seed: step.seed,
      path: ['craft', step.step, path],
    }),
  );
}

/** The members' class proxies as the ensemble embeds: unit rows side by side, over sqrt(N). */
function proxiesOf(members: readonly Member[]): tf.Tensor2D {
  const unit = members.map(({ proxies }) => {
    const p = proxies as tf.Tensor as tf.Tensor2D;
    return tf.div<tf.Tensor2D>(p, tf.sqrt(tf.maximum(tf.sum(tf.square(p), 1, true), 1e-24)));
  });
  return tf.mul(tf.concat(unit, 1), 1 / Math.sqrt(members.length));
}

/** Σ_i loss(f_i(x'), y, proxies_i); the ensemble's embedding is cut back into its members' unit rows. */
export function summedLoss({ loss }: TrainingStep, members: readonly Member[]): Objective {
  const widths = members.map(({ embedder }) => embedder.embedding);
  return {
    name: 'training-loss',
    joint: true,
    flatAtStart: false,
    bind({ labels }) {
      const classOf = tf.tensor1d(labels!, 'int32');
      return (embeddings) => {
        const whole = tf.mul<tf.Tensor2D>(embeddings, Math.sqrt(members.length));
        const parts = members.length === 1 ? [embeddings] : tf.split<tf.Tensor2D>(whole, widths, 1);
        const losses = members.map(({ proxies }, i) => loss(parts[i], classOf, proxies as tf.Tensor as tf.Tensor2D));
        return tf.reshape(tf.addN(losses), [1]);
      };
    },
  };
}

/** The training loss of one member on what it was given; also moves its batch normalisation. */
export function trainingLoss({ step, member, images, labels }: MemberUpdate): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  return step.loss(embedder.apply(images, true), labels, proxies as tf.Tensor as tf.Tensor2D);
}
