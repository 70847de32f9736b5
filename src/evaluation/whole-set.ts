import * as tf from '#tf';
import type { Rest } from '../attacks/index.js';
import type { Source } from '../data/index.js';
import { ImageSpool } from './image-spool.js';
import type { SetContext } from './set-context.js';

/** The images and embeddings of the whole set as the passes of an attack leave them. */
export class WholeSet {
  private readonly embeddings: Float32Array;
  private readonly images: ImageSpool;

  constructor(
    private readonly context: SetContext,
    private readonly data: Pick<Source, 'labels' | 'shape'>,
  ) {
    this.embeddings = Float32Array.from(context.clean.data);
    const [height, width, channels] = data.shape;
    this.images = new ImageSpool(height * width * channels, data.labels.length);
  }

  /** Sums and sizes of the classes outside the batch. */
  restOf(samples: Int32Array): Rest {
    const { labels, means } = this.context;
    const { rows: classes, cols } = means;
    const inside = new Set(samples);
    const [sums, counts] = [new Float64Array(classes * cols), new Int32Array(classes)];
    for (const [i, label] of labels.entries()) {
      if (inside.has(i)) continue;
      counts[label]++;
      for (let j = 0; j < cols; j++) sums[label * cols + j] += this.embeddings[i * cols + j];
    }
    return { sums: tf.tensor2d(Float32Array.from(sums), [classes, cols]), counts };
  }

  /** Where the images stand, [n, h, w, c]; the caller disposes them. */
  async standOf(samples: Int32Array): Promise<tf.Tensor4D> {
    return tf.tensor4d(await this.images.read(samples), [samples.length, ...this.data.shape]);
  }

  /** Notes where the samples' embeddings stand now, and their images where another pass goes on from them. */
  async note(samples: Int32Array, embeddings: Float32Array, images?: tf.Tensor4D): Promise<void> {
    const cols = embeddings.length / samples.length;
    for (const [i, sample] of samples.entries()) {
      this.embeddings.set(embeddings.subarray(i * cols, (i + 1) * cols), sample * cols);
    }
    if (!images) return;
    await this.images.writeAll(samples, await images.data<'float32'>());
  }

  async dispose(): Promise<void> {
    await this.images.dispose();
  }
}
