import { z } from 'zod';
import * as tf from '#tf';
import { count, nonNegative, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { randomStream } from '../../random.js';
import { knownTensor, valuesOf } from '../../tfjs/index.js';
import { attackOption, type CraftSettings, craftOn, rowsOf, trainingAttack } from '../craft.js';
import { checkDiversity, diversityShape, memberSamples } from '../diversity.js';
import type { MemberUpdate, Method, TrainingStep } from '../method.js';

const transfers = z.enum(['shared', 'peers', 'mix', 'none', 'one', 'relay', 'pooled']);

/** Whose loss the examples that update a member are crafted on. */
export type Transfer = z.infer<typeof transfers>;

/** One draws classes apart, the other puts images among strangers; docs/results.md has the first alone, too. */
const GOALS = ['training-loss', 'centroid-random-target'];

/** Transfers that take other members' examples. */
const AMONG_PEERS: readonly Transfer[] = ['peers', 'mix', 'relay'];

/**
 * The transfers `one` (at an N-th of the cost of `shared`), `relay` and `pooled` are ours, beside the readings of the paper.
 */
export const eatOptions = z
  .strictObject({
    members: count.default(3).describe('N: networks in the ensemble'),
    ...diversityShape,
    transfer: transfers
      .default('shared')
      .describe(
        'self-transfer. shared: one set of examples crafted on the summed loss of all members; peers: on the other ' +
          'members’; mix: on the own or, as often, one other’s, drawn anew each step; none: on the own; one: one set for ' +
          'all, crafted on one member drawn anew each step; relay: the first half of the steps on the peers, from there ' +
          'the second on the own; pooled: every member crafts on itself, and learns from what all of them crafted',
      ),
    alignment: nonNegative
      .default(1)
      .describe('lambda: weight of |f_i(x’) - mean_j f_j(x’)|², the mean held fixed; 0 is off'),
    attack: attackOption,
  })
  .check(checkDiversity)
  .check(({ value, issues }) => {
    const { transfer, members } = value;
    if (!AMONG_PEERS.includes(transfer) || members >= 2) return;
    const message = `at least 2 members for ${transfer}`;
    issues.push({ code: 'custom', path: ['members'], message, input: members });
  });

/** Options of {@link eat}. */
export type EatOptions = z.input<typeof eatOptions>;

/**
 * Ensemble Adversarial Training (Ke, arXiv 2501.01025), in the readings of its public text that the options name: an
 * ensemble made diverse by its data, whose adversarial examples come from the ensemble.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { convEmbedder, eat, openData, train } from 'eat-dml';
 *
 * const { train: seen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['train'] });
 * const method = eat({ members: 2, diversity: 'leave-one-out', transfer: 'shared', attack: { epsilon: 8 / 255, steps: 3 } });
 * const ensemble = await train({ data: seen, model: convEmbedder({ width: 8 }), method, epochs: 1, seed: 1 });
 * console.log(ensemble.members.length);
 * ```
 */
export function eat(options: EatOptions): Method {
  const { members, diversity, by, m, n, transfer, alignment, attack: given } = parseOptions(eatOptions, options);
  const attack = trainingAttack(given, GOALS);
  const cut = { diversity, by, members, m, n };
  return {
    config: { name: eatPart.name, ...cut, transfer, alignment, attack },
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

export const eatPart = part(
  'eat',
  'Ensemble Adversarial Training (Ke, arXiv 2501.01025): diverse by data, self-transferring',
  eatOptions,
  eat,
);

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
  const classes = sets > 1 ? knownTensor(new Array(sets).fill(Array.from(valuesOf(labels))).flat()) : labels;
  const loss = step.loss(embeddings, classes, proxies as tf.Tensor as tf.Tensor2D);
  if (!target) return loss;
  const gap = tf.mean(tf.sum(tf.squaredDifference(embeddings, target), 1));
  return tf.add(loss, tf.mul(gap, lambda));
}
