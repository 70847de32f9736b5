import * as tf from '@tensorflow/tfjs';
import { invalid, throwIfAborted } from '../errors.js';
import { toMatrix } from '../tfjs/index.js';
import type { Embedder, EmbedImages, FrozenEmbedder, ImageShape } from './embedder.js';
import type { TrainedOn } from './trained-on.js';

/** Embeddings as the kernels take them: row-major, one row per image. */
export type EmbeddingMatrix = Awaited<ReturnType<typeof toMatrix>>;

/** Images as plain arrays, [n, h, w, c]: bytes 0..255 or floats already in [0, 1]. Every dataset is one. */
export interface ImageSet {
  images: Uint8Array | Float32Array;
  shape: ImageShape;
}

export interface EmbedOptions {
  /** Images per forward pass (default 256). */
  batchSize?: number;
  signal?: AbortSignal;
}

/**
 * Several embedders as one: e(x) = concat_i f_i(x) / sqrt(N). Its rows have unit length, and its squared distances
 * are the mean of the members', so whatever clusters or searches embeddings needs to know nothing of ensembles.
 */
export class Ensemble {
  constructor(
    readonly members: readonly Embedder[],
    /** What they learnt from, where that is known: an evaluation then refuses to measure what they have seen. */
    readonly trainedOn?: TrainedOn,
  ) {
    if (members.length === 0) throw invalid('members', 'at least one embedder', members);
  }

  get inputShape(): ImageShape {
    return this.members[0].inputShape;
  }

  /** Columns of the ensemble's embedding: the sum of the members'. */
  get embedding(): number {
    return this.members.reduce((sum, member) => sum + member.embedding, 0);
  }

  /** Embeds one batch [n, h, w, c]; differentiable. `training` and `frozen` as in {@link EmbedImages}. */
  get apply(): EmbedImages {
    const { members } = this;
    const apply = (images: tf.Tensor4D, training = false) =>
      tf.tidy(() => sideBySide(members.map((member) => member.apply(images, training))));
    return Object.assign(apply, { frozen: () => frozenTogether(members) });
  }

  /**
   * Embeds any number of images in batches, in inference mode: a tensor gives a tensor [n, d], plain arrays
   * (a dataset) give a matrix. The caller owns the result and keeps what it passed.
   */
  embed(images: tf.Tensor4D, options?: EmbedOptions): Promise<tf.Tensor2D>;
  embed(images: ImageSet, options?: EmbedOptions): Promise<EmbeddingMatrix>;
  async embed(images: tf.Tensor4D | ImageSet, options: EmbedOptions = {}): Promise<tf.Tensor2D | EmbeddingMatrix> {
    const { batchSize = 256, signal } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) throw invalid('batchSize', 'a positive integer', batchSize);
    const source = images instanceof tf.Tensor ? tensorSource(images) : arraySource(images);
    const parts: tf.Tensor2D[] = [];
    try {
      for (let start = 0; start < source.count; start += batchSize) {
        throwIfAborted(signal);
        const end = Math.min(start + batchSize, source.count);
        parts.push(tf.tidy(() => this.apply(source.batch(start, end))));
        await new Promise(setImmediate);
      }
      const all = tf.concat(parts, 0);
      if (images instanceof tf.Tensor) return all;
      const matrix = await toMatrix(all);
      all.dispose();
      return matrix;
    } finally {
      tf.dispose(parts);
    }
  }

  dispose(): void {
    for (const member of this.members) member.dispose();
  }
}

function frozenTogether(members: readonly Embedder[]): FrozenEmbedder {
  const frozen = members.map((member) => member.apply.frozen?.() ?? member);
  return { apply: (images) => tf.tidy(() => sideBySide(frozen.map((member) => member.apply(images)))) };
}

function sideBySide(parts: tf.Tensor2D[]): tf.Tensor2D {
  return parts.length === 1 ? parts[0] : tf.mul(tf.concat(parts, 1), 1 / Math.sqrt(parts.length));
}

interface BatchSource {
  count: number;
  batch(start: number, end: number): tf.Tensor4D;
}

function tensorSource(images: tf.Tensor4D): BatchSource {
  if (images.rank !== 4 || images.shape[0] === 0) {
    throw invalid('images', 'at least one image, [n, h, w, c]', `shape [${images.shape.join(', ')}]`);
  }
  return {
    count: images.shape[0],
    batch: (start, end) => tf.slice(images, [start, 0, 0, 0], [end - start, -1, -1, -1]),
  };
}

function arraySource({ images, shape }: ImageSet): BatchSource {
  if (!(images instanceof Uint8Array || images instanceof Float32Array)) {
    throw invalid('images', 'a tensor, or {images: Uint8Array | Float32Array, shape}', images);
  }
  const size = shape[0] * shape[1] * shape[2];
  const count = images.length / size;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw invalid('images', `a positive multiple of ${size} values (${shape.join(' x ')})`, images);
  }
  const scale = images instanceof Uint8Array ? 255 : 1;
  return {
    count,
    batch(start, end) {
      const values = Float32Array.from(images.subarray(start * size, end * size), (value) => value / scale);
      return tf.tensor4d(values, [end - start, ...shape]);
    },
  };
}
