import * as tf from '@tensorflow/tfjs';
import type { AttackSettings } from '../../attacks/index.js';
import { invalid } from '../../errors.js';
import { randomStream } from '../../random.js';
import { craftOn, rowsOf, type TrainingAttack, trainingAttack } from '../craft.js';
import { checkDiversity, type Diversity, memberSamples } from '../diversity.js';
import type { MemberUpdate, Method, TrainingStep } from '../method.js';

/** Whose loss the examples that update a member are crafted on. */
export type Transfer = 'shared' | 'peers' | 'mix' | 'none';

export interface EatOptions {
  /** N (default 3). */
  members?: number;
  /** How the training set is cut among the members (default `leave-one-out`); `m-of-n` takes `m` and `n`. */
  diversity?: Diversity;
  /** Parts a member sees. */
  m?: number;
  /** Parts the data is cut into (default as many as members). */
  n?: number;
  /**
   * Self-transfer (default `shared`): `shared` one set of examples crafted on the summed loss of all members;
   * `peers` on the other members'; `mix` on the own or, as often, one other's, drawn anew each step; `none` on the own.
   */
  transfer?: Transfer;
  /** lambda: weight of |f_i(x') - mean_j f_j(x')|², the mean held fixed (default 0, off). */
  alignment?: number;
  attack: TrainingAttack;
}

/**
 * Ensemble Adversarial Training (Ke, arXiv 2501.01025), in the readings of its public text that the options name: an
 * ensemble made diverse by its data, whose adversarial examples come from the ensemble.
 */
export function eat(options: EatOptions): Method {
  const { members = 3, diversity = 'leave-one-out', m, n, transfer = 'shared', alignment = 0 } = options;
  const attack = trainingAttack(options.attack);
  const cut = { diversity, members, m, n };
  checkDiversity(cut);
  if (!['shared', 'peers', 'mix', 'none'].includes(transfer)) {
    throw invalid('transfer', 'one of shared, peers, mix, none', transfer);
  }
  if (members < 2) throw invalid('members', 'at least 2 members', members);
  if (!(alignment >= 0 && alignment < Infinity)) throw invalid('alignment', 'a finite number >= 0', alignment);
  return {
    config: { name: 'eat', ...cut, transfer, alignment, attack },
    members,
    memberData: (labels, seed) => memberSamples(labels.length, cut, seed),
    craft(step) {
      const images = transfer === 'shared' ? craftShared(step, attack) : craftEach(step, transfer, attack);
      const aligned = (own: tf.Tensor4D) => alignment > 0 && own.shape[0] > 0;
      return images.map((own) => ({ images: own, target: aligned(own) ? meanEmbedding(step, own) : undefined }));
    },
    memberLoss: (update) => alignedLoss(update, alignment),
  };
}

/** One attack on the whole batch; each member takes its rows of it. */
function craftShared(step: TrainingStep, attack: AttackSettings): tf.Tensor4D[] {
  return tf.tidy(() => {
    const everyone = step.members.map((_, i) => i);
    const all = Int32Array.from(step.labels, (_, i) => i);
    const crafted = craftOn(step, everyone, all, attack, 'shared');
    return step.rows.map((rows) => rowsOf(crafted, rows));
  });
}

function craftEach(step: TrainingStep, transfer: Exclude<Transfer, 'shared'>, attack: AttackSettings): tf.Tensor4D[] {
  return step.rows.map((rows, i) => craftOn(step, sourcesOf(step, i, transfer), rows, attack, i));
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
  const loss = step.loss(embeddings, labels, proxies as tf.Tensor as tf.Tensor2D);
  if (!target) return loss;
  const gap = tf.mean(tf.sum(tf.squaredDifference(embeddings, target), 1));
  return tf.add(loss, tf.mul(gap, lambda));
}
