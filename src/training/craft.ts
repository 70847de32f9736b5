import { z } from 'zod';
import * as tf from '#tf';
import {
  type AttackGallery,
  OBJECTIVE_NAMES,
  type Objective,
  objective,
  type PgdSettings,
  pgd,
  runAttack,
} from '../attacks/index.js';
import { checkRadius } from '../attacks/norm.js';
import { pgdShape } from '../attacks/rules/pgd.js';
import { headsOf } from '../models/head.js';
import { Ensemble } from '../models/index.js';
import { count } from '../options.js';
import { randomStream } from '../random.js';
import { knownTensor, valuesOf } from '../tfjs/index.js';
import type { Member, MemberUpdate, TrainingStep } from './method.js';

const GOALS = ['training-loss', ...OBJECTIVE_NAMES] as [string, ...string[]];
/** Of objectives that training takes otherwise: of a batch's few clean images more than the nearest count. */
const OPTIONS: Readonly<Record<string, Record<string, unknown>>> = { retrieval: { temperature: 0.05 } };
const oneOrMore = `one or more of ${GOALS.join(', ')}`;

/** The attack that a method trains against: PGD, in fewer steps, of which the last is kept. */
export const trainingAttackOptions = z
  .strictObject({
    ...pgdShape,
    steps: count.default(5).describe('gradient steps'),
    keep: pgdShape.keep.unwrap().default('last').describe('the last iterate, or the best by the objective'),
    batchNorm: z
      .enum(['running', 'batch'])
      .optional()
      .describe(
        'statistics that images are crafted by: the running ones (default), or those of the batch, as in updates',
      ),
    goal: z
      .union([z.enum(GOALS), z.array(z.enum(GOALS)).min(1, oneOrMore)], oneOrMore)
      .optional()
      .describe(
        'what it raises: the training loss (default, but of eat, which takes centroid-random-target, too, and eat-heads, which takes both and ' +
          'retrieval), or an objective of the evaluation, with the class proxies as centroids; of several one is drawn per step and member',
      ),
  })
  .check(checkRadius);

/** The attack that a method trains against; `epsilon` is in [0, 1] pixel units. */
export type TrainingAttack = Omit<z.input<typeof trainingAttackOptions>, 'goal'> & {
  /** See the schema; lists may be constant. */
  goal?: string | readonly string[];
};

/** `attack` of a method, as a schema: its options are checked with the method's own. */
export const attackOption = trainingAttackOptions.describe(
  'what it trains against: PGD, by default of 5 steps',
) as z.ZodType<z.output<typeof trainingAttackOptions>, TrainingAttack>;

/** A training attack with every default filled in. */
export interface CraftSettings extends PgdSettings {
  /** Absent: by the running statistics. */
  readonly batchNorm?: 'batch';
  readonly goals: readonly string[];
}

/** The settings of an attack that was checked; `goals` where it names none. */
export function trainingAttack(
  { goal, batchNorm, ...attack }: z.output<typeof trainingAttackOptions>,
  goals: readonly string[] = ['training-loss'],
): CraftSettings {
  const named = goal === undefined ? goals : typeof goal === 'string' ? [goal] : [...goal];
  return { ...pgd(attack), goals: named, ...(batchNorm === 'batch' && { batchNorm }) };
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
  const goal =
    goals[drawn] === 'training-loss' ? summedLoss(step, members) : objective(goals[drawn], OPTIONS[goals[drawn]]);
  return craftWith(step, sources, rows, settings, path, goal, start);
}

/** {@link craftOn} with an objective of the method's own, over the sources' joint embedding. */
export function craftWith(
  step: TrainingStep,
  sources: readonly number[],
  rows: Int32Array,
  settings: PgdSettings,
  path: string | number,
  goal: Objective,
  start?: tf.Tensor4D,
): tf.Tensor4D {
  if (rows.length === 0) return rowsOf(step.images, rows);
  const members = sources.map((i) => step.members[i]);
  const { goals: _, batchNorm, ...attack } = settings as CraftSettings;
  const model = new Ensemble(members.map(({ embedder }) => embedder));
  return tf.tidy(() =>
    runAttack({
      // Without a frozen form: what that folds is by the running statistics.
      model: batchNorm === 'batch' ? { apply: (images) => model.apply(images, 'batch') } : model,
      images: rowsOf(step.images, rows),
      objective: goal,
      settings: attack,
      labels: rows.map((row) => step.labels[row]),
      centroids: proxiesOf(members),
      ...(goal.searches && { gallery: galleryOf(step, model, rows) }),
      start,
      seed: step.seed,
      path: ['craft', step.step, path],
    }),
  );
}

/** The clean images of those rows, to be searched. */
function galleryOf({ images, labels }: TrainingStep, model: Ensemble, rows: Int32Array): AttackGallery {
  return {
    embeddings: model.apply(rowsOf(images, rows)),
    labels: rows.map((row) => labels[row]),
    self: Int32Array.from(rows.keys()),
  };
}

/** The class proxies as the ensemble embeds: unit rows of every member, or of each of its heads, side by side, over sqrt(N). */
function proxiesOf(members: readonly Member[]): tf.Tensor2D {
  const parts = members.flatMap(({ embedder, proxies }) => headsOf(embedder, proxies as tf.Tensor as tf.Tensor2D));
  const unit = parts.map((p) => tf.div<tf.Tensor2D>(p, tf.sqrt(tf.maximum(tf.sum(tf.square(p), 1, true), 1e-24))));
  return tf.mul(tf.concat(unit, 1), 1 / Math.sqrt(parts.length));
}

/**
 * Σ_i loss(f_i(x'), y, proxies_i) over members, or over all heads of a network that learns by them; the ensemble's embedding is cut
 * back into their unit rows.
 */
export function summedLoss(step: TrainingStep, members: readonly Member[]): Objective {
  const widths = members.map(({ embedder }) => embedder.embedding);
  return {
    name: 'training-loss',
    joint: true,
    flatAtStart: false,
    bind({ labels }) {
      const classOf = knownTensor(labels!);
      return (embeddings) => {
        const whole = tf.mul<tf.Tensor2D>(embeddings, Math.sqrt(members.length));
        const parts = members.length === 1 ? [embeddings] : tf.split<tf.Tensor2D>(whole, widths, 1);
        const losses = members.flatMap((member, i) => lossesOf(step, member, parts[i], classOf));
        return tf.reshape(tf.addN(losses), [1]);
      };
    },
  };
}

/** The loss of a member's embeddings; of the whole batch through a network with heads that of each, on unit rows of its own images. */
export function lossesOf(
  { loss, headRows }: TrainingStep,
  { embedder, proxies }: Member,
  embeddings: tf.Tensor2D,
  labels: tf.Tensor1D,
): tf.Scalar[] {
  const all = proxies as tf.Tensor as tf.Tensor2D;
  if (!headRows) return [loss(embeddings, labels, all)];
  const cut = headsOf(embedder, all);
  return headsOf(embedder, embeddings).flatMap((head, h) => {
    const unit = tf.mul<tf.Tensor2D>(head, Math.sqrt(cut.length));
    if (headRows[h].length === labels.shape[0]) return [loss(unit, labels, cut[h])];
    if (headRows[h].length === 0) return [];
    const classOf = valuesOf(labels);
    const own = knownTensor(Array.from(headRows[h], (row) => classOf[row]));
    return [loss(tf.gather(unit, tf.tensor1d(headRows[h], 'int32')), own, cut[h])];
  });
}

/** The training loss of one member on what it was given; also moves its batch normalisation. */
export function trainingLoss({ step, member, images, labels }: MemberUpdate): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  return step.loss(embedder.apply(images, true), labels, proxies as tf.Tensor as tf.Tensor2D);
}
