import * as tf from '#tf';
import { shardsOfRank, sumOfShards } from '../../distributed/sum-of-shards.js';
import { embedderWith, type TrainingMode } from '../../models/embedder.js';
import type { Embedder } from '../../models/index.js';
import { type Cut, gatherRows, ownRows, rowsOfRank } from './exchange-rows.js';
import { FlatGradients, tensorsOf } from './flat-gradients.js';
import { LeavingGradients } from './leaving-gradients.js';
import { noRows, sharded } from './sharded-embedder.js';

/** This rank's rows of what went through the network at once, and the loss's gradient by their embeddings. */
interface Embedded {
  images: tf.Tensor4D;
  /** Of all ranks. */
  rows: number;
  mode?: TrainingMode;
  gradient?: tf.Tensor2D;
}

interface Variables {
  /** Of the network: their gradients are sums over rows. */
  network: readonly tf.Variable[];
  /** Those whose gradient by the whole loss every rank has. */
  others: readonly tf.Variable[];
}

type LossOf = (embedder: Embedder) => tf.Scalar;
type Gradients = ReturnType<typeof tf.variableGrads>;

/**
 * The loss and its gradients as tf.variableGrads gives them, of a batch whose rows are cut into shards: those by the network's variables
 * are summed over shards, in float32 and in an order that the number of shards alone determines. So they have the same bits for any
 * number of ranks. Where each rank has one shard, its gradient is that of the tape; where some have several, each shard goes through the network
 * once more (GradCache, Gao et al., 2021). `lossOf` gets the embedder to embed by.
 */
export function shardGradients(lossOf: LossOf, embedder: Embedder, variables: Variables, cut: Cut): Gradients {
  const anchor = tf.variable(tf.scalar(0));
  try {
    // All ranks have one, or none goes by the tape: sums leave in the same pieces on each.
    const by = cut.shards === cut.group.size ? byTape : byShard;
    const { value, grads, network } = by(lossOf, embedder, variables, cut, anchor);
    delete grads[anchor.name];
    return { value, grads: { ...grads, ...network } };
  } finally {
    anchor.dispose();
  }
}

type Made = Gradients & { network: tf.NamedTensorMap };

function byTape(
  lossOf: LossOf,
  embedder: Embedder,
  { network, others }: Variables,
  cut: Cut,
  anchor: tf.Variable,
): Made {
  let fewest = Number.POSITIVE_INFINITY;
  const onRows = (rows: number) => {
    fewest = Math.min(fewest, rows);
  };
  const whole = sharded(embedder, cut, { anchor, onRows });
  const sums = new LeavingGradients(cut.group, network);
  const withSums = () => {
    const loss = lossOf(whole);
    // A rank without rows has nothing of the network in its tape.
    sums.watch(loss, fewest >= cut.shards);
    return loss;
  };
  const { value, grads } = tf.variableGrads(withSums, [anchor, ...others, ...network]);
  for (const { name } of network) delete grads[name];
  return { value, grads, network: sums.tensors() };
}

function byShard(
  lossOf: LossOf,
  embedder: Embedder,
  { network, others }: Variables,
  cut: Cut,
  anchor: tf.Variable,
): Made {
  const embedded: Embedded[] = [];
  try {
    const whole = recording(embedder, cut, anchor, embedded);
    const { value, grads } = tf.variableGrads(() => lossOf(whole), [anchor, ...others]);
    const sum = sumOfShards(cut.group, cut.shards, (shard) => ofShard(shard, embedder, embedded, network, cut).values);
    return { value, grads, network: tensorsOf(network, sum) };
  } finally {
    for (const { images, gradient } of embedded) tf.dispose([images, ...(gradient ? [gradient] : [])]);
  }
}

/** The embedder by this rank's shards, one after the other and without a gradient, which is noted where it comes back. */
function recording(embedder: Embedder, cut: Cut, anchor: tf.Variable, embedded: Embedded[]): Embedder {
  const apply = (images: tf.Tensor4D, mode?: TrainingMode): tf.Tensor2D => {
    const rows = images.shape[0];
    const note: Embedded = { images: tf.keep(ownRows(images, cut)), rows, mode };
    embedded.push(note);
    // The anchor is what makes tfjs come back here; nothing depends on it.
    const embed = tf.customGrad((at) => ({
      value: embedShards(embedder, note, cut),
      gradFunc: (gradient: tf.Tensor) => {
        note.gradient = tf.keep(tf.clone(gradient as tf.Tensor2D));
        return tf.zerosLike(at as tf.Tensor);
      },
    }));
    return gatherRows(embed(anchor) as tf.Tensor2D, rows, cut);
  };
  return embedderWith(embedder, { apply: Object.assign(apply, { frozen: embedder.apply.frozen }) });
}

function embedShards(embedder: Embedder, { images, rows, mode }: Embedded, cut: Cut): tf.Tensor2D {
  const { begin, end } = shardsOfRank(cut.shards, cut.group);
  const parts: tf.Tensor2D[] = [];
  for (let shard = begin; shard < end; shard++) {
    const part = shardOf(images, rows, shard, cut);
    if (part) parts.push(embedder.apply(part, mode));
  }
  return parts.length === 0 ? noRows(images, embedder.embedding) : tf.concat(parts);
}

/** The rows of one shard among those of this rank, where it has any. */
function shardOf<T extends tf.Tensor>(own: T, rows: number, shard: number, cut: Cut): T | undefined {
  const first = rowsOfRank(rows, cut).begin;
  const [begin, end] = [shard, shard + 1].map((at) => Math.floor((rows * at) / cut.shards) - first);
  const [, ...rest] = own.shape;
  return begin === end ? undefined : tf.slice(own, [begin, ...rest.map(() => 0)], [end - begin, ...rest]);
}

/** What one shard's rows give, through the network once more. */
function ofShard(
  shard: number,
  embedder: Embedder,
  embedded: readonly Embedded[],
  network: readonly tf.Variable[],
  cut: Cut,
): FlatGradients {
  const sum = new FlatGradients(network);
  if (network.length === 0) return sum;
  // The last first, as a tape adds up.
  for (const { images, rows, mode, gradient } of [...embedded].reverse()) {
    const part = gradient && shardOf(images, rows, shard, cut);
    if (!part) continue;
    tf.tidy(() => {
      const pull = shardOf(gradient, rows, shard, cut)!;
      const pulled = () => tf.sum<tf.Scalar>(tf.mul(embedder.apply(part, mode), pull));
      sum.add(tf.variableGrads(pulled, [...network]).grads);
    });
    part.dispose();
  }
  return sum;
}
