import { z } from 'zod';
import * as tf from '#tf';
import { checkImageShape } from '../checks.js';
import { describe, EatDmlError, invalid, throwIfAborted } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import { counter, type LongWork, longWork } from '../long-work.js';
import { count, parseOptions } from '../options.js';
import {
  checkPixels,
  checkPixelValues,
  onPresentBackend,
  outsidePixels,
  pixelTensor,
  stayOnBackend,
  toMatrix,
} from '../tfjs/index.js';
import {
  checkEmbedder,
  type Embedder,
  type EmbedImages,
  type FrozenEmbedder,
  type ImageShape,
  type TrainingMode,
} from './embedder.js';
import type { TrainedOn } from './trained-on.js';

/** Images that come batch by batch, [h, w, c] each, as many as there are labels: a source of data is one. */
export interface ImageBatches {
  readonly labels: ArrayLike<number>;
  readonly shape: ImageShape;
  batch(indices: ArrayLike<number>, options?: { signal?: AbortSignal }): Promise<tf.Tensor4D>;
  /** Begins what `batch` will be asked for. */
  prefetch?(indices: ArrayLike<number>, options?: { signal?: AbortSignal }): void;
}

/** Images as plain arrays, [n, h, w, c]: bytes 0..255 or floats already in [0, 1]. Every dataset is one. */
export interface ImageSet {
  images: Uint8Array | Float32Array;
  shape: ImageShape;
}

const embedOptions = z.strictObject({
  batchSize: count.default(256).describe('images per forward pass'),
  ...longWork,
});

/** Options of `embed` of an {@link Ensemble}. */
export type EmbedOptions = z.input<typeof embedOptions>;

/**
 * Several embedders as one: e(x) = concat_i f_i(x) / sqrt(N). Its rows have unit length, and its squared distances
 * are the mean of the members', so whatever clusters or searches embeddings needs to know nothing of ensembles.
 *
 * @example
 * ```ts
 * import { convEmbedder, Ensemble } from 'eat-dml';
 *
 * const spec = convEmbedder({ dimension: 16, width: 8 });
 * const ensemble = new Ensemble([spec.build([32, 32, 3], 1), spec.build([32, 32, 3], 2)]);
 * const { rows, cols } = await ensemble.embed({ images: new Uint8Array(2 * 3072), shape: [32, 32, 3] });
 * console.log(rows, cols); // 2 32
 * ensemble.dispose();
 * ```
 */
export class Ensemble {
  private disposed = false;

  constructor(
    readonly members: readonly Embedder[],
    /** What they learnt from, where that is known: an evaluation then refuses to measure what they have seen. */
    readonly trainedOn?: TrainedOn,
  ) {
    checkMembers(members);
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
    this.checkAlive();
    const { members } = this;
    const apply = (images: tf.Tensor4D, training: TrainingMode = false) =>
      tf.tidy(() => sideBySide(members.map((member) => member.apply(images, training))));
    return Object.assign(apply, { frozen: () => frozenTogether(members) });
  }

  /**
   * Embeds any number of images in batches, in inference mode: a tensor gives a tensor [n, d], plain arrays
   * (a dataset) and sources give a matrix. The caller owns the result and keeps what it passed.
   *
   * @throws EatDmlError ERR_ARGUMENT (shapes, pixels outside [0, 1]), ERR_NOT_FINITE (NaN), ERR_ABORTED.
   */
  embed(images: tf.Tensor4D, options?: EmbedOptions): Promise<tf.Tensor2D>;
  embed(images: ImageSet | ImageBatches, options?: EmbedOptions): Promise<Matrix>;
  async embed(
    images: tf.Tensor4D | ImageSet | ImageBatches,
    options: EmbedOptions = {},
  ): Promise<tf.Tensor2D | Matrix> {
    this.checkAlive();
    const { batchSize, ...work } = parseOptions(embedOptions, options);
    const source = batchesOf(images, this.inputShape);
    return onPresentBackend(() => this.embedAll(source, images instanceof tf.Tensor, batchSize, work));
  }

  private async embedAll(
    source: Batches,
    asTensor: boolean,
    batchSize: number,
    { signal, onProgress }: LongWork,
  ): Promise<tf.Tensor2D | Matrix> {
    const embedded = counter('embed', source.count, onProgress);
    const parts: tf.Tensor2D[] = [];
    try {
      for (let start = 0; start < source.count; start += batchSize) {
        throwIfAborted(signal);
        stayOnBackend();
        const end = Math.min(start + batchSize, source.count);
        const images = await source.batch(start, end, signal);
        source.prefetch?.(end, Math.min(end + batchSize, source.count), signal);
        try {
          parts.push(tf.tidy(() => this.apply(images)));
        } finally {
          images.dispose();
        }
        embedded(end - start);
        await new Promise(setImmediate);
      }
      const all = tf.concat(parts, 0);
      if (asTensor) return all;
      const matrix = await toMatrix(all);
      all.dispose();
      return matrix;
    } finally {
      tf.dispose(parts);
    }
  }

  /** Frees the members, once. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const member of this.members) member.dispose();
  }

  private checkAlive(): void {
    if (this.disposed) throw new EatDmlError('ERR_ARGUMENT', 'Expected an ensemble but received one that is disposed.');
  }
}

function frozenTogether(members: readonly Embedder[]): FrozenEmbedder {
  const frozen = members.map((member) => member.apply.frozen?.() ?? member);
  return { apply: (images) => tf.tidy(() => sideBySide(frozen.map((member) => member.apply(images)))) };
}

function sideBySide(parts: tf.Tensor2D[]): tf.Tensor2D {
  return parts.length === 1 ? parts[0] : tf.mul(tf.concat(parts, 1), 1 / Math.sqrt(parts.length));
}

/** Throws unless `members` are embedders of the same images. */
function checkMembers(members: readonly Embedder[]): void {
  if (!Array.isArray(members) || members.length === 0) throw invalid('members', 'at least one embedder', members);
  for (const [i, member] of members.entries()) {
    checkEmbedder(`members[${i}]`, member);
    if (String(member.inputShape) === String(members[0].inputShape)) continue;
    const message = `Expected members of one input shape but received [${members[0].inputShape}] and`;
    throw new EatDmlError('ERR_ARGUMENT', `${message} [${member.inputShape}] in members[${i}].`);
  }
}

/** All images in order, a batch at a time. */
interface Batches {
  count: number;
  /** Throws unless the pixels lie in [0, 1]. */
  batch(start: number, end: number, signal?: AbortSignal): Promise<tf.Tensor4D>;
  prefetch?(start: number, end: number, signal?: AbortSignal): void;
}

function batchesOf(images: tf.Tensor4D | ImageSet | ImageBatches, inputShape: ImageShape): Batches {
  if (images instanceof tf.Tensor) return tensorBatches(images);
  if (typeof (images as ImageBatches | undefined)?.batch === 'function') {
    return sourceBatches(images as ImageBatches, inputShape);
  }
  return arrayBatches(images as ImageSet, inputShape);
}

function tensorBatches(images: tf.Tensor4D): Batches {
  const sound = !images.isDisposed && images.dtype === 'float32' && images.rank === 4 && images.size > 0;
  if (!sound) throw invalid('images', 'at least one image, a float32 tensor [n, h, w, c]', images);
  return {
    count: images.shape[0],
    async batch(start, end) {
      const batch = tf.slice(images, [start, 0, 0, 0], [end - start, -1, -1, -1]);
      const outside = outsidePixels(batch);
      const [sum] = await outside.data();
      outside.dispose();
      if (sum !== 0) {
        batch.dispose();
        checkPixels('images', images);
      }
      return batch;
    },
  };
}

function sourceBatches(source: ImageBatches, inputShape: ImageShape): Batches {
  checkFits(source.shape, inputShape);
  return {
    count: source.labels.length,
    batch: (start, end, signal) => source.batch(range(start, end), { signal }),
    prefetch: (start, end, signal) => {
      if (start < end) source.prefetch?.(range(start, end), { signal });
    },
  };
}

const range = (start: number, end: number) => Int32Array.from({ length: end - start }, (_, i) => start + i);

function arrayBatches(set: ImageSet, inputShape: ImageShape): Batches {
  const { images, shape } = (set ?? {}) as Partial<ImageSet>;
  if (!(images instanceof Uint8Array || images instanceof Float32Array)) {
    const given = describe(images === undefined ? set : images);
    const message = `Expected a tensor, or {images: Uint8Array | Float32Array, shape}, for images but received ${given}.`;
    throw new EatDmlError('ERR_ARGUMENT', message);
  }
  checkFits(shape, inputShape);
  const size = shape[0] * shape[1] * shape[2];
  const count = images.length / size;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw invalid('images', `a positive multiple of ${size} values (${shape.join(' x ')})`, images);
  }
  return {
    count,
    async batch(start, end) {
      const values = images.subarray(start * size, end * size);
      if (values instanceof Uint8Array) return pixelTensor(values, [end - start, ...shape]);
      checkPixelValues('images', values, size, start);
      return tf.tensor4d(values.slice(), [end - start, ...shape]);
    },
  };
}

function checkFits(shape: unknown, inputShape: ImageShape): asserts shape is ImageShape {
  checkImageShape('shape', shape);
  if (String(shape) !== String(inputShape)) throw invalid('shape', `the model's [${inputShape.join(', ')}]`, shape);
}
