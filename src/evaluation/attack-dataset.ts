import * as tf from '#tf';
import type { AttackSettings } from '../attacks/index.js';
import { runAttackLater } from '../attacks/run-attack.js';
import type { Source } from '../data/index.js';
import { throwIfAborted } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import type { Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import { stayOnBackend } from '../tfjs/index.js';
import { attackTogether } from './attack-together.js';
import { galleryOf, type SetContext } from './set-context.js';
import type { AttackPlan } from './suites/index.js';
import { WholeSet } from './whole-set.js';

/** How often an objective over the whole set goes through its batches; the steps are shared out among the passes. */
const PASSES = 2;

/** Images x classes up to which an objective sees the whole set at once: their shares lie in memory several times. */
const SEEN_AT_ONCE = 2 ** 23;

/** A system as attacks see it. */
export type Observed = Pick<Ensemble, 'apply' | 'embedding'>;

export interface DatasetAttack {
  /** What is attacked. */
  ensemble: Observed;
  data: Pick<Source, 'labels' | 'shape' | 'batch' | 'prefetch'>;
  plan: AttackPlan;
  context: SetContext;
  seed: number;
  batchSize: number;
  /** Attack these images only; all when absent. */
  samples?: Int32Array;
  signal?: AbortSignal;
  /** Shown every batch of attacked images as it ends up, and which they are; of several restarts the last that is shown counts. */
  onAttacked?(samples: Int32Array, images: tf.Tensor4D): Promise<void>;
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
 * every attack): a joint objective needs all classes in each batch, whatever order the images come in. Under an objective
 * over the whole set, steps that decay are taken by all images together; other rules go through the batches twice, and
 * the objective sees, beside its batch, all other images as they stand.
 */
export async function attackFor(attack: DatasetAttack, observers: readonly Observed[]): Promise<Matrix[]> {
  const { data, plan, context, seed, batchSize, signal } = attack;
  const samples = attack.samples ?? Int32Array.from({ length: data.labels.length }, (_, i) => i);
  const order = randomStream(seed, 'evaluation-order').permutation(samples.length);
  const { settings, objective } = plan;
  if (objective.wholeSet && settings.rule === 'decaying' && context.clean.rows * context.means.rows <= SEEN_AT_ONCE) {
    const batches = Array.from({ length: Math.ceil(order.length / batchSize) }, (_, b) =>
      order.subarray(b * batchSize, (b + 1) * batchSize),
    );
    return attackTogether({ ...attack, settings, samples, batches }, observers);
  }
  const results = observers.map(({ embedding: cols }) => {
    return { data: new Float32Array(samples.length * cols), rows: samples.length, cols };
  });
  const set = plan.objective.wholeSet ? new WholeSet(context, data) : undefined;
  const passes = set ? PASSES : 1;
  try {
    for (let pass = 0; pass < passes; pass++) {
      for (let start = 0; start < order.length; start += batchSize) {
        throwIfAborted(signal);
        stayOnBackend();
        const rows = order.subarray(start, start + batchSize);
        const chosen = rows.map((row) => samples[row]);
        const next = order.subarray(start + batchSize, start + 2 * batchSize).map((row) => samples[row]);
        const images = await attackBatch(attack, { chosen, next }, start / batchSize, set, pass);
        try {
          await observe(attack, observers, { images, rows, chosen, last: pass === passes - 1 }, results, set);
        } finally {
          images.dispose();
        }
        attack.onBatch?.(rows.length / passes);
        await new Promise(setImmediate);
      }
    }
  } finally {
    await set?.dispose();
  }
  return results;
}

/** Attacked images: which samples they are, and their rows in the results. */
interface Attacked {
  images: tf.Tensor4D;
  rows: Int32Array;
  chosen: Int32Array;
  /** No pass follows. */
  last: boolean;
}

/** Embeds attacked images, by each system once: the set notes them, and at the end the observers keep them. */
async function observe(
  { ensemble, onAttacked }: DatasetAttack,
  observers: readonly Observed[],
  { images, rows, chosen, last }: Attacked,
  results: Matrix[],
  set: WholeSet | undefined,
): Promise<void> {
  const embed = async (system: Observed) => {
    const embeddings = tf.tidy(() => system.apply(images));
    const values = await embeddings.data<'float32'>();
    embeddings.dispose();
    return values;
  };
  const own = set && (await embed(ensemble));
  if (set) await set.note(chosen, own!, last ? undefined : images);
  if (!last) return;
  await onAttacked?.(chosen, images);
  for (const [o, observer] of observers.entries()) {
    const values = own && observer === ensemble ? own : await embed(observer);
    const { data, cols } = results[o];
    for (const [i, row] of rows.entries()) data.set(values.subarray(i * cols, (i + 1) * cols), row * cols);
  }
}

async function attackBatch(
  { ensemble, data, plan, context, seed, signal }: DatasetAttack,
  { chosen: samples, next }: { chosen: Int32Array; next: Int32Array },
  batch: number,
  set: WholeSet | undefined,
  pass: number,
): Promise<tf.Tensor4D> {
  const images = await data.batch(samples, { signal });
  if (next.length > 0) data.prefetch?.(next, { signal });
  const start = pass > 0 ? await set?.standOf(samples) : undefined;
  const rest = set?.restOf(samples);
  try {
    return await runAttackLater({
      model: ensemble,
      images,
      objective: plan.objective,
      settings: set ? shareOfPass(plan.settings) : plan.settings,
      labels: samples.map((sample) => context.labels[sample]),
      centroids: context.centroids,
      gallery: galleryOf(context, samples),
      rest,
      start,
      seed,
      path: ['evaluation', plan.settings.name, batch, ...(pass > 0 ? [pass] : [])],
    });
  } finally {
    tf.dispose([images, ...(start ? [start] : []), ...(rest ? [rest.sums] : [])]);
  }
}

/** The steps of one pass; their length is that of the whole attack. */
function shareOfPass(settings: AttackSettings): AttackSettings {
  return { ...settings, steps: Math.max(1, Math.ceil(settings.steps / PASSES)) };
}
