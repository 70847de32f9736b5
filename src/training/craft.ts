import * as tf from '@tensorflow/tfjs';
import {
  type AttackSettings,
  gradientsPerImage,
  type Objective,
  type PgdOptions,
  pgd,
  runAttack,
} from '../attacks/index.js';
import { Ensemble } from '../models/index.js';
import type { Member, MemberUpdate, TrainingStep } from './method.js';

/** The attack that a method trains against: PGD on the training loss; `keep` is `last` unless given. Default 5 steps. */
export type TrainingAttack = PgdOptions;

export function trainingAttack(attack: TrainingAttack): AttackSettings {
  return pgd({ steps: 5, keep: 'last', ...attack });
}

/** Those rows of the batch's images; no copy where it is all of them. */
export function rowsOf(images: tf.Tensor4D, rows: Int32Array): tf.Tensor4D {
  if (rows.length === images.shape[0]) return tf.clone(images);
  if (rows.length === 0) return tf.tensor4d([], [0, ...images.shape.slice(1)] as typeof images.shape);
  return tf.tidy(() => tf.gather(images, tf.tensor1d(rows, 'int32')));
}

/**
 * Adversarial examples of those rows of the batch, crafted on the sum of the `sources`' training losses (each with its
 * own proxies). `path` names the random stream below the step.
 */
export function craftOn(
  step: TrainingStep,
  sources: readonly number[],
  rows: Int32Array,
  settings: AttackSettings,
  path: string | number,
): tf.Tensor4D {
  if (rows.length === 0) return rowsOf(step.images, rows);
  const members = sources.map((i) => step.members[i]);
  step.countGradients(rows.length * sources.length * gradientsPerImage(settings));
  return tf.tidy(() =>
    runAttack({
      model: new Ensemble(members.map(({ embedder }) => embedder)),
      images: rowsOf(step.images, rows),
      objective: summedLoss(step, members),
      settings,
      labels: rows.map((row) => step.labels[row]),
      seed: step.seed,
      path: ['craft', step.step, path],
    }),
  );
}

/** Σ_i loss(f_i(x'), y, proxies_i); the ensemble's embedding is cut back into its members' unit rows. */
function summedLoss({ loss }: TrainingStep, members: readonly Member[]): Objective {
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
