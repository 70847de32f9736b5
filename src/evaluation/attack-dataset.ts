import * as tf from '@tensorflow/tfjs';
import { type AttackContext, type AttackSettings, type Rest, runAttack } from '../attacks/index.js';
import { type Dataset, imageBatch } from '../data/index.js';
import { throwIfAborted } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import type { Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import { stayOnBackend } from '../tfjs/index.js';
import type { AttackPlan } from './suites/index.js';

/** How often an objective over the whole set goes through its batches; the steps are shared out among the passes. */
const PASSES = 2;

/** What objectives know of the set: class means, labels as their rows, and the clean embeddings that are searched. */
export interface SetContext extends AttackContext {
  gallery: tf.Tensor2D;
}

export interface DatasetAttack {
  /** What is attacked. */
  ensemble: Pick<Ensemble, 'apply' | 'embedding'>;
  data: Dataset;
  plan: AttackPlan;
  context: SetContext;
  seed: number;
  batchSize: number;
  /** Attack these images only; all when absent. */
  samples?: Int32Array;
  signal?: AbortSignal;
  /** Called after every batch with the number of its images. */
  onBatch?(images: number): void;
}

/** {@link attackFor}, embedded through the attacked ensemble. */
export async function attackDataset(attack: DatasetAttack): Promise<Matrix> {
  const [own] = await attackFor(attack, [attack.ensemble]);
  return own;
}

/**
 * Attacks the images (or `samples` of them, in ascending order) through the whole ensemble and embeds the results by
 * every observer, [n, d] each, row i being image (or sample) i. Batches are random samples of the set (the same for
 * every attack): a joint objective needs all classes in each batch, whatever order the images come in. An objective
 * over the whole set sees, beside its batch, all other images as they stand, and goes through the batches twice.
 */
export async function attackFor(
  attack: DatasetAttack,
  observers: readonly Pick<Ensemble, 'apply' | 'embedding'>[],
): Promise<Matrix[]> {
  const { data, seed, batchSize, signal, onBatch } = attack;
  const samples = attack.samples ?? Int32Array.from({ length: data.length }, (_, i) => i);
  const order = randomStream(seed, 'evaluation-order').permutation(samples.length);
  const results = observers.map(({ embedding: cols }) => {
    return { data: new Float32Array(samples.length * cols), rows: samples.length, cols };
  });
  const set = attack.plan.objective.wholeSet ? new WholeSet(attack) : undefined;
  const passes = set ? PASSES : 1;
  for (let pass = 0; pass < passes; pass++) {
    for (let start = 0; start < order.length; start += batchSize) {
      throwIfAborted(signal);
      stayOnBackend();
      const rows = order.subarray(start, start + batchSize);
      const chosen = rows.map((row) => samples[row]);
      const images = tf.tidy(() => attackBatch(attack, chosen, start / batchSize, set, pass));
      await set?.note(chosen, images);
      if (pass === passes - 1) await observe(observers, images, rows, results);
      images.dispose();
      onBatch?.(rows.length / passes);
      await new Promise(setImmediate);
    }
  }
  return results;
}

async function observe(
  observers: readonly Pick<Ensemble, 'apply' | 'embedding'>[],
  images: tf.Tensor4D,
  rows: Int32Array,
  results: Matrix[],
): Promise<void> {
  for (const [o, observer] of observers.entries()) {
    const embeddings = tf.tidy(() => observer.apply(images));
    const values = await embeddings.data<'float32'>();
    embeddings.dispose();
    const { data, cols } = results[o];
    for (const [i, row] of rows.entries()) data.set(values.subarray(i * cols, (i + 1) * cols), row * cols);
  }
}

function attackBatch(attack: DatasetAttack, samples: Int32Array, batch: number, set?: WholeSet, pass = 0) {
  const { ensemble, data, plan, context, seed } = attack;
  return runAttack({
    model: ensemble,
    images: imageBatch(data, samples),
    objective: plan.objective,
    settings: set ? shareOfPass(plan.settings) : plan.settings,
    labels: samples.map((sample) => context.labels[sample]),
    centroids: context.centroids,
    gallery: { embeddings: context.gallery, labels: context.labels, self: samples },
    rest: set?.restOf(samples),
    start: pass > 0 ? set?.standOf(samples) : undefined,
    seed,
    path: ['evaluation', plan.settings.name, batch, ...(pass > 0 ? [pass] : [])],
  });
}

/** The steps of one pass; their length is that of the whole attack. */
function shareOfPass(settings: AttackSettings): AttackSettings {
  return { ...settings, steps: Math.max(1, Math.ceil(settings.steps / PASSES)) };
}

/** The images and embeddings of the whole set as the passes leave them. */
class WholeSet {
  private readonly embeddings: Float32Array;
  private readonly images = new Map<number, Float32Array>();

  constructor(private readonly attack: DatasetAttack) {
    this.embeddings = Float32Array.from(attack.context.gallery.dataSync());
  }

  /** Sums and sizes of the classes outside the batch. */
  restOf(samples: Int32Array): Rest {
    const { labels, centroids } = this.attack.context;
    const [classes, cols] = centroids.shape;
    const inside = new Set(samples);
    const [sums, counts] = [new Float64Array(classes * cols), new Int32Array(classes)];
    for (const [i, label] of labels.entries()) {
      if (inside.has(i)) continue;
      counts[label]++;
      for (let j = 0; j < cols; j++) sums[label * cols + j] += this.embeddings[i * cols + j];
    }
    return { sums: tf.tensor2d(Float32Array.from(sums), [classes, cols]), counts };
  }

  standOf(samples: Int32Array): tf.Tensor4D {
    const stand = Array.from(samples, (sample) => this.images.get(sample)!);
    const size = stand[0].length;
    const values = new Float32Array(stand.length * size);
    for (const [i, image] of stand.entries()) values.set(image, i * size);
    return tf.tensor4d(values, [stand.length, ...this.attack.data.shape]);
  }

  async note(samples: Int32Array, images: tf.Tensor4D): Promise<void> {
    const embedded = tf.tidy(() => this.attack.ensemble.apply(images));
    const [rows, pixels] = [await embedded.data<'float32'>(), await images.data<'float32'>()];
    const [cols, size] = [embedded.shape[1], pixels.length / samples.length];
    embedded.dispose();
    for (const [i, sample] of samples.entries()) {
      this.embeddings.set(rows.subarray(i * cols, (i + 1) * cols), sample * cols);
      this.images.set(sample, pixels.slice(i * size, (i + 1) * size));
    }
  }
}
