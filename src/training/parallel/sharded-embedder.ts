import * as tf from '#tf';
import { EatDmlError } from '../../errors.js';
import { embedderWith, type FrozenEmbedder, type TrainingMode } from '../../models/embedder.js';
import type { Embedder } from '../../models/index.js';
import { withSpreadBatch } from '../../tfjs/index.js';
import { type Cut, gatherRows, ownRows, rowsOfRank } from './exchange-rows.js';

type Layer = NonNullable<Embedder['layers']>[number];

/** Where gradients by variables are asked for. */
interface InTape {
  /** What keeps a rank without rows in the tape. */
  anchor: tf.Variable;
  /** Told of how many rows go through the network at once, on all ranks. */
  onRows(rows: number): void;
}

/**
 * The embedder, of whose rows each rank computes its own, and all have all: embeddings and gradients by the images are those of the
 * embedder, gradients by its variables those of this rank's rows alone. Statistics of a batch are those of all ranks' rows.
 */
export function sharded(embedder: Embedder, cut: Cut, tape?: InTape): Embedder {
  if (cut.group.size === 1) return embedder;
  const byBatch = worksByBatch(embedder);
  const rowWise = (images: tf.Tensor4D, embed: (own: tf.Tensor4D) => tf.Tensor2D) =>
    tf.tidy(() => {
      const { begin, end } = rowsOfRank(images.shape[0], cut);
      const own = ownRows(images, cut);
      tape?.onRows(images.shape[0]);
      const embedded = begin === end ? noRows(own, embedder.embedding, tape?.anchor) : embed(own);
      return gatherRows(embedded, images.shape[0], cut);
    });
  const gather = (own: Float64Array) => cut.group.allGatherNow(own);
  const apply = (images: tf.Tensor4D, mode?: TrainingMode): tf.Tensor2D => {
    if (!mode || !byBatch) return rowWise(images, (own) => embedder.apply(own, mode));
    const fits = images.shape[0] >= cut.shards && embedder.layers !== undefined;
    if (fits) return rowWise(images, (own) => withSpreadBatch(gather, () => embedder.apply(own, mode)));
    if (tape) throw tooFew(images.shape[0], cut);
    return embedder.apply(images, mode);
  };
  const frozen = (): FrozenEmbedder => {
    const pass = embedder.apply.frozen!();
    return { apply: (images) => rowWise(images, (own) => pass.apply(own)) };
  };
  return embedderWith(embedder, {
    apply: Object.assign(apply, embedder.apply.frozen && { frozen }),
    ...(embedder.by && { by: (set) => sharded(embedder.by!(set), cut, tape) }),
  });
}

function tooFew(images: number, { shards }: Cut): EatDmlError {
  const message = `Expected at least ${shards} images of a member in a batch, one for each rank, but received ${images}.`;
  return new EatDmlError('ERR_ARGUMENT', message, {
    hint: 'Statistics of a batch need rows on each: raise the batch.',
  });
}

/** The embeddings of no images, which a gradient goes through. */
export function noRows(images: tf.Tensor4D, columns: number, anchor?: tf.Tensor): tf.Tensor2D {
  const op = tf.customGrad((...inputs) => {
    const shapes = (inputs.slice(0, anchor ? 2 : 1) as tf.Tensor[]).map(({ shape }) => shape);
    return { value: tf.zeros([0, columns]), gradFunc: () => shapes.map((shape) => tf.zeros(shape)) };
  });
  return (anchor ? op(images, anchor) : op(images)) as tf.Tensor2D;
}

/**
 * Whether rows of a batch change one another's embeddings in training: by a batch normalisation that is not frozen. A network that is
 * not described by layers is taken to have some where it keeps more than its variables.
 */
export function worksByBatch({ layers, weights, variables }: Embedder): boolean {
  if (layers) return layers.some(hasStatistics);
  return weights.size > variables().length;
}

function hasStatistics(layer: Layer): boolean {
  if ('branches' in layer) return layer.branches.some((branch) => branch.some(hasStatistics));
  return 'norm' in layer && layer.norm !== undefined && !layer.norm.frozen;
}
