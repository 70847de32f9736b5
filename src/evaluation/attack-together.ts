import * as tf from '#tf';
import type { MpgdSettings } from '../attacks/index.js';
import { startOf } from '../attacks/run-attack.js';
import { bySet, stepOfSet } from '../attacks/set-step.js';
import { throwIfAborted } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import { type RandomStream, randomStream } from '../random.js';
import { fromMatrix, readLater, stayOnBackend } from '../tfjs/index.js';
import type { DatasetAttack, Observed } from './attack-dataset.js';
import { ImageSpool } from './image-spool.js';
import { galleryOf } from './set-context.js';

/** An attack whose images all move together, a step of all of them at a time. */
export interface Together extends DatasetAttack {
  settings: MpgdSettings;
  samples: Int32Array;
  /** Rows of `samples`, batch by batch. */
  batches: Int32Array[];
}

/**
 * Raises an objective over the embeddings of the whole set by steps that all images take at once: its gradient by the
 * embeddings, of all of them as they stand, then batch by batch through the network. Samples that are not attacked stand
 * as they are. Of the restarts the one is kept whose last step ends highest. Embedded by every observer.
 */
export async function attackTogether(attack: Together, observers: readonly Observed[]): Promise<Matrix[]> {
  let best: { value: number; embeddings: Matrix[] } | undefined;
  for (let restart = 0; restart < attack.settings.restarts; restart++) {
    const run = new SetAscent(attack, restart);
    try {
      const value = await run.ascend();
      if (!best || value > best.value) best = { value, embeddings: await run.embeddedBy(observers) };
    } finally {
      await run.dispose();
    }
  }
  return best!.embeddings;
}

/** One restart. */
class SetAscent {
  private readonly random: RandomStream;
  private readonly spools: Record<'images' | 'current' | 'velocity', ImageSpool>;
  /** The embeddings of the whole set as it stands. */
  private readonly standing: Matrix;

  constructor(
    private readonly attack: Together,
    private readonly restart: number,
  ) {
    const { seed, plan, context, data, samples } = attack;
    this.random = randomStream(seed, 'evaluation', plan.settings.name, 'together', plan.objective.name, restart);
    this.standing = { ...context.clean, data: Float32Array.from(context.clean.data) };
    const size = data.shape[0] * data.shape[1] * data.shape[2];
    const spool = () => new ImageSpool(size, samples.length);
    this.spools = { images: spool(), current: spool(), velocity: spool() };
  }

  /** Takes all steps; the value that they end at. */
  async ascend(): Promise<number> {
    const { settings, batches, onBatch } = this.attack;
    for (const rows of batches) await this.begin(rows);
    for (let step = 0; step < settings.steps; step++) {
      const { gradient } = await this.bySet();
      for (const rows of batches) {
        await this.move(rows, gradient, step);
        onBatch?.(rows.length / (settings.steps * settings.restarts));
        await new Promise(setImmediate);
      }
    }
    return (await this.bySet()).value;
  }

  /** The attacked images as every system sees them, row i being sample i. */
  async embeddedBy(observers: readonly Observed[]): Promise<Matrix[]> {
    const { samples, batches, onAttacked } = this.attack;
    const all = observers.map(({ embedding: cols }) => {
      return { data: new Float32Array(samples.length * cols), rows: samples.length, cols };
    });
    for (const rows of batches) {
      const images = await this.read('current', rows);
      for (const [o, observer] of observers.entries()) put(all[o], rows, await embed(observer, images));
      await onAttacked?.(this.samplesOf(rows), images);
      images.dispose();
    }
    return all;
  }

  async dispose(): Promise<void> {
    for (const spool of Object.values(this.spools)) await spool.dispose();
  }

  private async begin(rows: Int32Array): Promise<void> {
    const { data, plan, settings, signal } = this.attack;
    throwIfAborted(signal);
    stayOnBackend();
    const images = await data.batch(this.samplesOf(rows), { signal });
    let start: tf.Tensor4D | undefined;
    try {
      const { random, restart } = this;
      start = await readLater(() => startOf({ images, objective: plan.objective, settings }, random, restart));
      await this.write('images', rows, images);
      await this.stand(rows, start);
    } finally {
      tf.dispose([images, ...(start ? [start] : [])]);
    }
  }

  private async move(rows: Int32Array, byEmbeddings: Matrix, step: number): Promise<void> {
    const { ensemble: model, settings, signal } = this.attack;
    throwIfAborted(signal);
    stayOnBackend();
    const gradient = fromMatrix(rowsOf(byEmbeddings, this.samplesOf(rows)));
    const images = await this.read('images', rows);
    const moving = {
      current: await this.read('current', rows),
      ...(step > 0 && { velocity: await this.read('velocity', rows) }),
    };
    let moved: ReturnType<typeof stepOfSet> | undefined;
    try {
      moved = await readLater(() => stepOfSet({ model, images, moving, gradient, settings, step }));
      await this.write('velocity', rows, moved.velocity);
      await this.stand(rows, moved.current);
    } finally {
      tf.dispose([gradient, images, moving, ...(moved ? [moved] : [])]);
    }
  }

  /** The objective of the whole set, and its gradient by every embedding. */
  private async bySet(): Promise<{ value: number; gradient: Matrix }> {
    const { context, plan, signal } = this.attack;
    throwIfAborted(signal);
    const { labels, centroids, gallery: embeddings } = context;
    const gallery = galleryOf(context, Int32Array.from(labels.keys()));
    const standing = fromMatrix(this.standing);
    const known = { clean: () => embeddings, labels, centroids, gallery, random: this.random };
    let found: ReturnType<typeof bySet> | undefined;
    try {
      found = await readLater(() => bySet(plan.objective, known, standing));
      const value = (await found.value.data<'float32'>()).reduce((a, b) => a + b, 0);
      return { value, gradient: { ...this.standing, data: await found.gradient.data<'float32'>() } };
    } finally {
      tf.dispose([standing, ...(found ? [found] : [])]);
    }
  }

  private samplesOf(rows: Int32Array): Int32Array {
    return rows.map((row) => this.attack.samples[row]);
  }

  /** The images stand here now. */
  private async stand(rows: Int32Array, images: tf.Tensor4D): Promise<void> {
    await this.write('current', rows, images);
    put(this.standing, this.samplesOf(rows), await embed(this.attack.ensemble, images));
  }

  private async read(what: keyof SetAscent['spools'], rows: Int32Array): Promise<tf.Tensor4D> {
    return tf.tensor4d(await this.spools[what].read(rows), [rows.length, ...this.attack.data.shape]);
  }

  private async write(what: keyof SetAscent['spools'], rows: Int32Array, images: tf.Tensor4D): Promise<void> {
    await this.spools[what].writeAll(rows, await images.data<'float32'>());
  }
}

async function embed(system: Pick<Observed, 'apply'>, images: tf.Tensor4D): Promise<Float32Array> {
  const embeddings = tf.tidy(() => system.apply(images));
  const values = await embeddings.data<'float32'>();
  embeddings.dispose();
  return values;
}

function put({ data, cols }: Matrix, rows: Int32Array, values: Float32Array): void {
  for (const [i, row] of rows.entries()) data.set(values.subarray(i * cols, (i + 1) * cols), row * cols);
}

/** Those rows of a matrix, in their order. */
export function rowsOf({ data, cols }: Matrix, rows: Int32Array): Matrix {
  const chosen = { data: new Float32Array(rows.length * cols), rows: rows.length, cols };
  for (const [i, row] of rows.entries()) chosen.data.set(data.subarray(row * cols, (row + 1) * cols), i * cols);
  return chosen;
}
