import * as tf from '@tensorflow/tfjs';
import { invalid } from '../../errors.js';
import { randomStream } from '../../random.js';
import { type CraftSettings, craftOn, rowsOf, type TrainingAttack, trainingAttack } from '../craft.js';
import { checkDiversity, type Diversity, type DiversityBy, memberSamples } from '../diversity.js';
import type { MemberUpdate, Method, TrainingStep } from '../method.js';

/** Whose loss the examples that update a member are crafted on. */
export type Transfer = 'shared' | 'peers' | 'mix' | 'none' | 'one' | 'relay' | 'pooled';

/** One draws classes apart, the other puts images among strangers; docs/results.md has the first alone, too. */
const GOALS = ['training-loss', 'centroid-random-target'];

const TRANSFERS: readonly Transfer[] = ['shared', 'peers', 'mix', 'none', 'one', 'relay', 'pooled'];

export interface EatOptions {
  /** N (default 3). */
  members?: number;
  /** How the training set is cut among the members (default `leave-one-out`); `m-of-n` takes `m` and `n`. */
  diversity?: Diversity;
  /** Cut samples (default) or classes. */
  by?: DiversityBy;
  /** Parts a member sees. */
  m?: number;
  /** Parts the data is cut into (default as many as members). */
  n?: number;
  /**
   * Self-transfer (default `shared`): `shared` one set of examples crafted on the summed loss of all members;
   * `peers` on the other members'; `mix` on the own or, as often, one other's, drawn anew each step; `none` on the own.
   * Ours, beside the readings of the paper: `one` one set for all, crafted on one member drawn anew each step, at an
   * N-th of the cost of `shared`; `relay` the first half of the steps on the peers, from there the second on the own;
   * `pooled` every member crafts on itself, and learns from what all of them crafted.
   */
  transfer?: Transfer;
  /** lambda: weight of |f_i(x') - mean_j f_j(x')|², the mean held fixed (default 1; 0 is off). */
  alignment?: number;
  /**
   * Unlike other methods', its goal is by default one of two drawn anew each step: the training loss, and the centroid of a
   * random other class.
   */
  attack: TrainingAttack;
}

/**
 * Ensemble Adversarial Training (Ke, arXiv 2501.01025), in the readings of its public text that the options name: an
 * ensemble made diverse by its data, whose adversarial examples come from the ensemble.
 */
export function eat(options: EatOptions): Method {
  const { members = 3, diversity = 'leave-one-out', by = 'sample', m, n, transfer = 'shared', alignment = 1 } = options;
  const attack = trainingAttack({ ...options.attack, goal: options.attack?.goal ?? GOALS });
  const cut = { diversity, by, members, m, n };
  checkDiversity(cut);
  checkTransfer(transfer, members);
  if (!(alignment >= 0 && alignment < Infinity)) throw invalid('alignment', 'a finite number >= 0', alignment);
  return {
    config: { name: 'eat', ...cut, transfer, alignment, attack },
    members,
    memberData: (labels, seed) => memberSamples(labels, cut, seed),
    craft(step) {
      const images = craftByTransfer(step, transfer, attack);
      const aligned = (own: tf.Tensor4D) => alignment > 0 && own.shape[0] > 0;
      return images.map((own) => ({ images: own, target: aligned(own) ? meanEmbedding(step, own) : undefined }));
    },
    memberLoss: (update) => alignedLoss(update, alignment),
  };
}

function checkTransfer(transfer: Transfer, members: number): void {
  if (!TRANSFERS.includes(transfer)) throw invalid('transfer', `one of ${TRANSFERS.join(', ')}`, transfer);
  if (!Number.isSafeInteger(members) || members < 1) throw invalid('members', 'a positive integer', members);
  const needsPeers = transfer === 'peers' || transfer === 'mix' || transfer === 'relay';
  if (needsPeers && members < 2) throw invalid('members', `at least 2 members for ${transfer}`, members);
}

function craftByTransfer(step: TrainingStep, transfer: Transfer, attack: CraftSettings): tf.Tensor4D[] {
  const everyone = step.members.map((_, i) => i);
  if (transfer === 'shared') return craftForAll(step, everyone, attack);
  if (transfer === 'pooled') return craftPooled(step, attack);
  if (transfer === 'one') {
    const drawn = randomStream(step.seed, 'transfer', step.step).integer(everyone.length);
    return craftForAll(step, [drawn], attack);
  }
  if (transfer === 'relay') return step.rows.map((rows, i) => craftRelay(step, rows, i, attack));
  return step.rows.map((rows, i) => craftOn(step, sourcesOf(step, i, transfer), rows, attack, i));
}

/** One attack on the whole batch; each member takes its rows of it. */
function craftForAll(step: TrainingStep, sources: number[], attack: CraftSettings): tf.Tensor4D[] {
  return tf.tidy(() => {
    const all = Int32Array.from(step.labels, (_, i) => i);
    const crafted = craftOn(step, sources, all, attack, 'shared');
    return step.rows.map((rows) => rowsOf(crafted, rows));
  });
}

/** Every member's own examples of the whole batch; each member takes its rows of all of them, one set after the other. */
function craftPooled(step: TrainingStep, attack: CraftSettings): tf.Tensor4D[] {
  return tf.tidy(() => {
    const all = Int32Array.from(step.labels, (_, i) => i);
    const sets = step.members.map((_, i) => craftOn(step, [i], all, attack, i));
    return step.rows.map((rows) => tf.concat(sets.map((crafted) => rowsOf(crafted, rows))));
  });
}

function craftRelay(step: TrainingStep, rows: Int32Array, own: number, attack: CraftSettings): tf.Tensor4D {
  const peers = step.members.map((_, i) => i).filter((i) => i !== own);
  const first = { ...attack, steps: Math.ceil(attack.steps / 2) };
  const second = { ...attack, steps: Math.max(1, attack.steps - first.steps) };
  return tf.tidy(() => {
    const handed = craftOn(step, peers, rows, first, `${own}-peers`);
    return craftOn(step, [own], rows, second, own, handed);
  });
}

function sourcesOf({ members, seed, step }: TrainingStep, own: number, transfer: Transfer): number[] {
  const peers = members.map((_, i) => i).filter((i) => i !== own);
  if (transfer === 'none') return [own];
  if (transfer === 'peers') return peers;
  const random = randomStream(seed, 'transfer', step, own);
  return [random.uniform() < 0.5 ? own : peers[random.integer(peers.length)]];
}

/** mean_j f_j(x'), in inference mode. */
function meanEmbedding({ members }: TrainingStep, images: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    const sum = tf.addN(members.map(({ embedder }) => embedder.apply(images)));
    return tf.div(sum, members.length);
  });
}

/** The training loss plus lambda times the mean over images of |f_i(x') - target|². */
function alignedLoss({ step, member, images, labels, target }: MemberUpdate, lambda: number): tf.Scalar {
  const { embedder, proxies } = step.members[member];
  const embeddings = embedder.apply(images, true);
  const sets = images.shape[0] / labels.shape[0];
  step.countGradients(images.shape[0] - labels.shape[0]);
  const classes = sets > 1 ? tf.tile(labels, [sets]) : labels;
  const loss = step.loss(embeddings, classes, proxies as tf.Tensor as tf.Tensor2D);
  if (!target) return loss;
  const gap = tf.mean(tf.sum(tf.squaredDifference(embeddings, target), 1));
  return tf.add(loss, tf.mul(gap, lambda));
}
