import * as tf from '@tensorflow/tfjs';
import { type AttackContext, runAttack } from '../attacks/index.js';
import { type Dataset, imageBatch } from '../data/index.js';
import { throwIfAborted } from '../errors.js';
import type { EmbeddingMatrix, Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import type { AttackPlan } from './suites.js';

export interface DatasetAttack {
  ensemble: Ensemble;
  data: Dataset;
  plan: AttackPlan;
  context: AttackContext;
  seed: number;
  batchSize: number;
  signal?: AbortSignal;
  /** Called after every batch with the number of its images. */
  onBatch(images: number): void;
}

/**
 * Attacks every image through the whole ensemble and embeds the results, [n, d], row i being image i. Batches are
 * random samples of the set (the same for every attack): a joint objective needs all classes in each batch, whatever
 * order the images come in.
 */
export async function attackDataset(attack: DatasetAttack): Promise<EmbeddingMatrix> {
  const { ensemble, data, seed, batchSize, signal, onBatch } = attack;
  const order = randomStream(seed, 'evaluation-order').permutation(data.length);
  const cols = ensemble.embedding;
  const values = new Float32Array(data.length * cols);
  for (let start = 0; start < order.length; start += batchSize) {
    throwIfAborted(signal);
    const samples = order.subarray(start, start + batchSize);
    const embeddings = tf.tidy(() => ensemble.apply(attackBatch(attack, samples, start / batchSize)));
    const rows = await embeddings.data<'float32'>();
    embeddings.dispose();
    for (const [i, sample] of samples.entries()) values.set(rows.subarray(i * cols, (i + 1) * cols), sample * cols);
    onBatch(samples.length);
    await new Promise(setImmediate);
  }
  return { data: values, rows: data.length, cols };
}

function attackBatch({ ensemble, data, plan, context, seed }: DatasetAttack, samples: Int32Array, batch: number) {
  return runAttack({
    model: ensemble,
    images: imageBatch(data, samples),
    objective: plan.objective,
    settings: plan.settings,
    labels: samples.map((sample) => context.labels[sample]),
    centroids: context.centroids,
    seed,
    path: ['evaluation', plan.settings.name, batch],
  });
}
