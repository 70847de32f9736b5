import * as tf from '@tensorflow/tfjs';
import { invalid } from '../errors.js';
import type { Embedder } from '../models/index.js';
import { type RandomStream, randomStream } from '../random.js';
import { adaptiveAscent } from './adaptive-ascent.js';
import type { Ascent } from './ascent.js';
import { intoBall } from './ball.js';
import { better, type Candidate } from './candidate.js';
import { carliniWagnerAscent } from './carlini-wagner.js';
import { fixedAscent } from './fixed-ascent.js';
import type { AttackGallery, Objective, Rest } from './objective.js';
import { randomPerturbation } from './random-start.js';
import { type AttackSettings, checkSettings } from './settings.js';
import { squareSearch } from './square-search.js';

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
 */
export function runAttack(run: AttackRun): tf.Tensor4D {
  checkRun(run);
  return tf.tidy(() => {
    const model = run.model.apply.frozen?.() ?? run.model;
    let best: Candidate | undefined;
    for (let restart = 0; restart < run.settings.restarts; restart++) {
      best = better(
        best,
        tf.tidy(() => ascend({ ...run, model }, restart)),
        run.objective.joint,
      );
    }
    return best!.images;
  });
}

const RULES = {
  fixed: fixedAscent,
  adaptive: adaptiveAscent,
  'carlini-wagner': carliniWagnerAscent,
  square: squareSearch,
} as unknown as Record<AttackSettings['rule'], (ascent: Ascent, settings: AttackSettings) => Candidate>;

function ascend(run: AttackRun, restart: number): Candidate {
  const { model, images, labels, centroids, objective, settings, gallery, rest } = run;
  const random = randomStream(run.seed, ...(run.path ?? []), objective.name, restart);
  const bound = objective.bind({ clean: () => model.apply(images), labels, centroids, gallery, rest, random });
  const values = (x: tf.Tensor4D) => bound(model.apply(x));
  const { joint } = objective;
  return RULES[settings.rule]({ images, start: startOf(run, random, restart), values, joint, random }, settings);
}

/** Where a restart begins: the given point for the first, beside the image for all others and where it is a flat top. */
function startOf(
  { images, start, objective, settings }: AttackRun,
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

function checkRun({ images, settings, labels, objective }: AttackRun): void {
  checkSettings(settings);
  if (settings.rule === 'carlini-wagner' && objective.joint) {
    throw invalid('objective', 'an objective with one value per sample for cw', objective.name);
  }
  if (images.rank !== 4 || images.size === 0) throw invalid('images', '[n, h, w, c], n >= 1', `[${images.shape}]`);
  if (labels && labels.length !== images.shape[0]) throw invalid('labels', `${images.shape[0]} classes`, labels);
}
