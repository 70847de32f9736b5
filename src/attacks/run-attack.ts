import { z } from 'zod';
import * as tf from '#tf';
import { invalid } from '../errors.js';
import type { Embedder } from '../models/index.js';
import { int32Array, parseOptions, seed } from '../options.js';
import { type RandomStream, randomStream } from '../random.js';
import {
  checkPixels,
  type Reading,
  readLater,
  readNow,
  readsAtOnce,
  settled,
  tensorOf,
  tidied,
} from '../tfjs/index.js';
import type { Ascent } from './ascent.js';
import { intoBall } from './ball.js';
import { better, type Candidate } from './candidate.js';
import { type AttackGallery, type Objective, objectiveValue, type Rest } from './objective.js';
import { randomPerturbation } from './random-start.js';
import { type AttackSettings, attackSettings, ruleOf } from './settings.js';

/** What {@link runAttack} attacks, and how. */
export interface AttackRun {
  /** The whole defended system: an ensemble, or one embedder. Called in inference mode. */
  model: Pick<Embedder, 'apply'>;
  /** Clean images [n, h, w, c] in [0, 1]; not changed, not disposed. */
  images: tf.Tensor4D;
  objective: Objective;
  settings: AttackSettings;
  /** Class of each image, for objectives that use it. */
  labels?: Int32Array;
  /** Mean clean embedding of each class [classes, d], for objectives that use it. */
  centroids?: tf.Tensor2D;
  /** What is searched, for ranking objectives. */
  gallery?: AttackGallery;
  /** The evaluated set outside this batch, for objectives over all of it. */
  rest?: Rest;
  /** Where the first restart begins instead of at the image or a random point. */
  start?: tf.Tensor4D;
  seed: number;
  /** Names the random stream of this batch below `seed`, such as `['evaluation', batch]`. */
  path?: (string | number)[];
}

/**
 * Runs one attack: from the image (or a random point of the ball) as its step rule says, every iterate inside ball and
 * box, and of all iterates and restarts the best by the objective.
 * Returns images [n, h, w, c] that differ from the clean ones by at most epsilon and lie in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from 'eat-dml/tf';
 * import { chooseBackend, loadEnsemble, objective, pgd, runAttack } from 'eat-dml';
 *
 * await chooseBackend();
 * const model = await loadEnsemble('runs/eat');
 * const images = tf.randomUniform([4, 32, 32, 3]) as tf.Tensor4D; // in [0, 1]
 * const settings = pgd({ epsilon: 8 / 255, steps: 5 });
 * const attacked = runAttack({ model, images, objective: objective('embedding-shift'), settings, seed: 1 });
 * console.log(tf.max(tf.abs(tf.sub(attacked, images))).arraySync()); // at most 8/255
 * ```
 */
export function runAttack(run: AttackRun): tf.Tensor4D {
  return readNow(tidied(() => attack(run)));
}

/** {@link runAttack}, which reads nothing at once: for devices that cannot, and none waits for it. */
export function runAttackLater(run: AttackRun): Promise<tf.Tensor4D> {
  return readLater(() => attack(run));
}

function* attack(run: AttackRun): Reading<tf.Tensor4D> {
  checkRun(run);
  if ((run.model as Partial<Embedder>).unitNorm === false) throw invalid('model', 'one with unit rows', 'features');
  const model = run.model.apply.frozen?.() ?? run.model;
  let best: Candidate | undefined;
  for (let restart = 0; restart < run.settings.restarts; restart++) {
    const before = best;
    best = yield* tidied(() => withRestart({ ...run, model }, restart, before));
    tf.dispose(before);
  }
  return best!.images;
}

/** The better of what is kept and of one more restart, which takes what is not lost yet. */
function* withRestart(run: AttackRun, restart: number, kept: Candidate | undefined): Reading<Candidate> {
  if (!kept) return better(undefined, yield* ascend(run, restart), run.objective.joint);
  const lost = lostAt(run, kept.images);
  if (!lost) return better(kept, yield* ascend(run, restart), run.objective.joint);
  // Training crafts at once: where that cannot read, it takes all, and leaves as they are those that are lost.
  if (!readsAtOnce()) return keepLost(lost, kept, better(kept, yield* ascend(run, restart), false));
  const values = yield lost;
  const rows = Int32Array.from(values.keys()).filter((i) => !(values[i] > 0));
  if (rows.length === 0) return { images: tf.clone(kept.images), values: tf.clone(kept.values) };
  const those = <T extends tf.Tensor>(x: T): T => tf.gather(x, tf.tensor1d(rows, 'int32')) as T;
  const { images, labels, gallery } = run;
  const some = {
    ...run,
    images: those(images),
    labels: labels && rows.map((row) => labels[row]),
    gallery: gallery && { ...gallery, self: rows.map((row) => gallery.self[row]) },
  };
  const part = better({ images: those(kept.images), values: those(kept.values) }, yield* ascend(some, restart), false);
  // Of all kept rows and the part's, after them, each image takes its newest.
  const newest = Int32Array.from({ length: images.shape[0] }, (_, i) => i);
  for (const [i, row] of rows.entries()) newest[row] = images.shape[0] + i;
  const joined = <T extends tf.Tensor>(all: T, own: T): T =>
    tf.gather(tf.concat([all, own] as tf.Tensor[]), tf.tensor1d(newest, 'int32')) as T;
  return { images: joined(kept.images, part.images), values: joined(kept.values, part.values) };
}

function keepLost(lost: tf.Tensor1D, kept: Candidate, offered: Candidate): Candidate {
  const leave = tf.greater(lost, 0);
  return {
    images: tf.where(tf.reshape(leave, [-1, 1, 1, 1]), kept.images, offered.images),
    values: tf.where(leave, kept.values, offered.values),
  };
}

/** Above 0 for the images that the objective's metric counts as lost; undefined where the objective has no such metric. */
function lostAt(run: AttackRun, attacked: tf.Tensor4D): tf.Tensor1D | undefined {
  const { images, labels, centroids, objective, gallery, rest, model } = run;
  // Of a joint objective the whole batch is kept, or none of it.
  if (!objective.lost || objective.joint) return undefined;
  const random = randomStream(run.seed, ...(run.path ?? []), objective.name, 'lost');
  const inputs = { clean: () => model.apply(images), labels, centroids, gallery, rest, random };
  return objective.lost(inputs)(model.apply(attacked));
}

function* ascend(run: AttackRun, restart: number): Reading<Candidate> {
  const { model, images, labels, centroids, objective, settings, gallery, rest } = run;
  const random = randomStream(run.seed, ...(run.path ?? []), objective.name, restart);
  const embed = (x: tf.Tensor4D) => checkEmbeddings(run, model.apply(x));
  const bound = objective.bind({ clean: () => embed(images), labels, centroids, gallery, rest, random });
  const values = (x: tf.Tensor4D) => checkValues(run, bound(embed(x)));
  const ascent: Ascent = {
    images,
    start: startOf(run, random, restart),
    startGiven: run.start !== undefined && restart === 0,
    values,
    joint: objective.joint,
    objective: `the objective ${objective.name}`,
    random,
  };
  const reached = yield* settled(ruleOf(settings).ascend(ascent, settings));
  if (!bound.across || settings.restarts === 1) return reached;
  return { ...reached, values: checkValues(run, bound.across(embed(reached.images))) };
}

/** Where a restart begins: the given point for the first, beside the image for all others and where it is a flat top. */
export function startOf(
  { images, start, objective, settings }: Pick<AttackRun, 'images' | 'start' | 'objective' | 'settings'>,
  random: RandomStream,
  restart: number,
): tf.Tensor4D {
  if (start && restart === 0) return intoBall(images, start, settings, 'start');
  if (!settings.randomStart && !objective.flatAtStart) return tf.clone(images);
  return tf.tidy(() => {
    const beside = tf.add<tf.Tensor4D>(images, randomPerturbation(images.shape, settings, random));
    return intoBall(images, beside, settings);
  });
}

const attackRun = z.strictObject({
  model: z.custom<AttackRun['model']>(
    (model) => typeof (model as AttackRun['model'] | undefined)?.apply === 'function',
    'an ensemble or an embedder',
  ),
  images: tensorOf<tf.Tensor4D>(4, 'a float32 tensor [n, h, w, c], n >= 1'),
  objective: objectiveValue,
  settings: attackSettings,
  labels: int32Array('an Int32Array of classes').optional(),
  centroids: tensorOf<tf.Tensor2D>(2, 'a float32 tensor [classes, d]').optional(),
  gallery: z
    .strictObject({
      embeddings: tensorOf<tf.Tensor2D>(2, 'a float32 tensor [m, d]'),
      labels: int32Array('an Int32Array of classes'),
      self: int32Array('an Int32Array of gallery rows'),
    })
    .optional(),
  rest: z
    .strictObject({
      sums: tensorOf<tf.Tensor2D>(2, 'a float32 tensor [classes, d]'),
      counts: int32Array('an Int32Array'),
    })
    .optional(),
  start: tensorOf<tf.Tensor4D>(4, 'a float32 tensor of the shape of images').optional(),
  seed,
  path: z.array(z.union([z.string(), z.number()], 'a string or a number')).optional(),
});

function checkRun(run: AttackRun): void {
  const { images, settings, labels, objective, start, centroids, gallery, rest } = parseOptions(attackRun, run);
  if (ruleOf(settings).perSample && objective.joint) {
    throw invalid('objective', `an objective with one value per sample for ${settings.name}`, objective.name);
  }
  const n = images.shape[0];
  if (labels && labels.length !== n) throw invalid('labels', `${n} classes`, labels);
  if (start && String(start.shape) !== String(images.shape)) throw invalid('start', `shape [${images.shape}]`, start);
  if (gallery && gallery.self.length !== n) throw invalid('gallery.self', `${n} gallery rows`, gallery.self);
  const rows = gallery?.embeddings.shape[0] ?? 0;
  if (gallery && gallery.labels.length !== rows) throw invalid('gallery.labels', `${rows} classes`, gallery.labels);
  const stray = gallery?.self.find((row) => row < -1 || row >= rows);
  if (stray !== undefined)
    throw invalid('gallery.self', `rows of the gallery, 0 to ${rows - 1}, or -1 for none`, stray);
  if (rest && String(rest.sums.shape) !== String(centroids?.shape ?? rest.sums.shape)) {
    throw invalid('rest.sums', `the shape of centroids [${centroids!.shape}]`, rest.sums);
  }
  if (rest && rest.counts.length !== rest.sums.shape[0]) {
    throw invalid('rest.counts', `${rest.sums.shape[0]} counts`, rest.counts);
  }
  checkPixels('images', images);
  if (start) checkPixels('start', start);
}

/** What the model returned, where it is a row per image that fits what it is compared with. */
function checkEmbeddings({ images, centroids, gallery }: AttackRun, embeddings: tf.Tensor2D): tf.Tensor2D {
  const n = images.shape[0];
  const rows = embeddings instanceof tf.Tensor && embeddings.rank === 2 && embeddings.shape[0] === n;
  if (!rows) throw invalid('model.apply(images)', `embeddings [${n}, d]`, embeddings);
  const d = embeddings.shape[1];
  for (const [name, compared] of Object.entries({ centroids, 'gallery.embeddings': gallery?.embeddings })) {
    if (compared && compared.shape[1] !== d) throw invalid(name, `rows of ${d} columns, as the model gives`, compared);
  }
  return embeddings;
}

/** What the objective returned, where it is a value per image; a joint one's are summed up, however many there are. */
function checkValues({ images, objective }: AttackRun, values: tf.Tensor1D): tf.Tensor1D {
  const n = images.shape[0];
  if (values instanceof tf.Tensor && values.rank === 1 && (objective.joint || values.shape[0] === n)) return values;
  throw invalid(`the values of ${objective.name}`, `a tensor [${objective.joint ? 'n' : n}]`, values);
}
