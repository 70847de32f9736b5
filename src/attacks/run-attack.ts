import * as tf from '@tensorflow/tfjs';
import { invalid } from '../errors.js';
import type { Embedder } from '../models/index.js';
import { randomStream } from '../random.js';
import { attackStepTensor } from '../tfjs/index.js';
import type { Objective } from './objective.js';
import { randomPerturbation } from './random-start.js';
import { type AttackSettings, checkSettings } from './settings.js';

/** Pixels lie here. */
const BOX: [number, number] = [0, 1];

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
  seed: number;
  /** Names the random stream of this batch below `seed`, such as `['evaluation', batch]`. */
  path?: (string | number)[];
}

/**
 * The one attack loop: from the image (or a random point of the ball) `steps` times along the gradient of the
 * objective, each step projected onto ball and box, and of all iterates and restarts the best by the objective.
 * Returns images [n, h, w, c] that differ from the clean ones by at most epsilon and lie in [0, 1].
 */
export function runAttack(run: AttackRun): tf.Tensor4D {
  checkRun(run);
  return tf.tidy(() => {
    let best: Candidate | undefined;
    for (let restart = 0; restart < run.settings.restarts; restart++) {
      best = better(
        best,
        tf.tidy(() => ascend(run, restart)),
        run.objective.joint,
      );
    }
    return best!.images;
  });
}

/** Images and their objective: [n], or [1] for a whole batch. */
type Candidate = { images: tf.Tensor4D; values: tf.Tensor1D };

/** What one step hands to the next; all tensors are its own. */
type Ascent = { current: tf.Tensor4D; velocity?: tf.Tensor4D; best?: Candidate };

function ascend(run: AttackRun, restart: number): Candidate {
  const { model, images, labels, centroids, objective, settings } = run;
  const random = randomStream(run.seed, ...(run.path ?? []), objective.name, restart);
  const bound = objective.bind({ clean: () => model.apply(images), labels, centroids, random });
  const values = (x: tf.Tensor4D) => bound(model.apply(x));
  const beside = settings.randomStart || objective.flatAtStart;
  let state: Ascent = { current: beside ? startBeside(run, random) : tf.clone(images) };
  for (let step = 0; step < settings.steps; step++) {
    const next = tf.tidy(() => advance(run, values, state));
    tf.dispose(state);
    state = next;
  }
  if (settings.keep === 'last' && settings.restarts === 1) return { images: state.current, values: tf.zeros([1]) };
  return better(state.best, { images: state.current, values: values(state.current) }, objective.joint);
}

function advance(run: AttackRun, values: (x: tf.Tensor4D) => tf.Tensor1D, { current, velocity, best }: Ascent): Ascent {
  const { momentum, keep } = run.settings;
  const { value, grad } = tf.valueAndGrad(values)(current);
  const direction = momentum === 0 ? grad : accumulate(velocity, grad, momentum);
  return {
    current: move(run, current, direction),
    velocity: momentum === 0 ? undefined : direction,
    best: keep === 'best' ? better(best, { images: current, values: value }, run.objective.joint) : undefined,
  };
}

function startBeside(run: AttackRun, random: ReturnType<typeof randomStream>): tf.Tensor4D {
  return tf.tidy(() => {
    const beside = tf.add<tf.Tensor4D>(run.images, randomPerturbation(run.images.shape, run.settings, random));
    return move(run, beside, tf.zerosLike(beside));
  });
}

/** One step along `gradient`, projected onto ball and box by the kernel. */
function move({ images, settings }: AttackRun, current: tf.Tensor4D, gradient: tf.Tensor4D): tf.Tensor4D {
  const { norm, epsilon, stepSize } = settings;
  return attackStepTensor({ origin: images, current, gradient, norm, epsilon, stepSize, box: BOX });
}

/** v = momentum v + g / mean|g|, per sample. */
function accumulate(velocity: tf.Tensor4D | undefined, gradient: tf.Tensor4D, momentum: number): tf.Tensor4D {
  const size = tf.maximum(tf.mean(tf.abs(gradient), [1, 2, 3], true), 1e-24);
  const unit = tf.div<tf.Tensor4D>(gradient, size);
  return velocity ? tf.add(tf.mul(velocity, momentum), unit) : unit;
}

/** The better of both by sample, or as a whole when the values belong together. */
function better(kept: Candidate | undefined, offered: Candidate, joint: boolean): Candidate {
  const values: tf.Tensor1D = joint ? tf.reshape(tf.sum(offered.values), [1]) : offered.values;
  if (!kept) return { images: tf.clone(offered.images), values: tf.clone(values) };
  const wins = tf.greater(values, kept.values);
  return {
    images: tf.where(tf.reshape(wins, [-1, 1, 1, 1]), offered.images, kept.images),
    values: tf.where(wins, values, kept.values),
  };
}

function checkRun({ images, settings, labels }: AttackRun): void {
  checkSettings(settings);
  if (images.rank !== 4 || images.size === 0) throw invalid('images', '[n, h, w, c], n >= 1', `[${images.shape}]`);
  if (labels && labels.length !== images.shape[0]) throw invalid('labels', `${images.shape[0]} classes`, labels);
}
