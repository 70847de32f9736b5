import * as tf from '#tf';
import { type AttackNorm, type AttackSettings, objective } from '../../attacks/index.js';
import { runAttackLater } from '../../attacks/run-attack.js';
import { assignToCentroids } from '../../clustering/assign.js';
import type { Source } from '../../data/index.js';
import type { Ensemble } from '../../models/index.js';
import { radiusText } from '../../radius-text.js';
import { randomStream } from '../../random.js';
import { ONE_CLASS } from '../defined.js';
import type { EvaluationProgress } from '../progress.js';
import { galleryOf, type SetContext } from '../set-context.js';
import { attacksOf, GOALS, reporter } from './attacks.js';
import { spreadOf } from './spread.js';

const CHECKS = ['more-steps', 'more-epsilon', 'whole-box', 'black-box', 'gradients', 'collapse'] as const;

/** One test of whether the figures can be believed at all. */
export interface SanityCheck {
  name: (typeof CHECKS)[number] | 'joint-objectives';
  /** null: it could not be made on these images, or does not exist in this norm. */
  passed: boolean | null;
  /** What was measured, in a few words with numbers, or why it could not be. */
  detail: string;
}

export interface SanitySetting {
  /** What is attacked; may be a stand-in with zero gradients. */
  ensemble: Pick<Ensemble, 'apply'>;
  /** The defended system has gradients at all. */
  differentiable: boolean;
  data: Pick<Source, 'labels' | 'shape' | 'batch'>;
  context: SetContext;
  norm: AttackNorm;
  epsilon: number;
  seed: number;
  signal?: AbortSignal;
  onProgress?: (progress: EvaluationProgress) => void;
}

/** Images that the checks attack. */
const COUNT = 48;
/** Share of images that may have no gradient: dead pixels and saturated units occur, masking looks otherwise. */
const MASKED = 0.05;
/** What two values may differ by before one counts as larger: a thousandth, and a fiftieth of their size. */
const tolerance = (value: number) => 1e-3 + 0.02 * Math.abs(value);

/**
 * Checks that attacks behave as attacks on an honest model do (after Athalye et al., 2018, and Carlini et al., 2019),
 * on up to 48 images with the objectives `centroid-margin` and `retrieval`: more steps and a larger radius reach no less; the whole
 * box as radius ends at chance; random search finds no more than gradients; gradients are there; the embeddings have not
 * collapsed.
 */
export async function sanityChecks(setting: SanitySetting): Promise<SanityCheck[]> {
  // They all attack towards another class, or look for what tells classes apart.
  if (setting.context.means.rows < 2) return CHECKS.map((name) => notMade(name, ONE_CLASS));
  const probed = await probedImages(setting);
  try {
    const { epsilon } = setting;
    const attacks = attacksOf(setting);
    const { epsilon: twice } = attacks.wide;
    const told = reporter(setting, attacks, probed.samples.length);
    const probes = GOALS.map((goal) => probeOf(setting, goal, probed, told));
    const short = await reached(probes, attacks.short);
    const [long, wide] = [await reached(probes, attacks.long), await reached(probes, attacks.wide)];
    return [
      noLess('more-steps', ['5 steps', short], ['20 steps', long]),
      noLess('more-epsilon', [`epsilon ${radiusText(epsilon)}`, long], [`epsilon ${radiusText(twice)}`, wide]),
      await wholeBox(setting, probes[0], attacks.box),
      await blackBox(attacks.black, probes, long),
      await gradients(setting, probes),
      collapse(setting.context.clean),
    ];
  } finally {
    probed.images.dispose();
  }
}

function notMade(name: SanityCheck['name'], why: string): SanityCheck {
  return { name, passed: null, detail: `not made: ${why}` };
}

interface Probe {
  images: tf.Tensor4D;
  /** Class of each image as a row of the centroids. */
  labels: Int32Array;
  attack(settings: AttackSettings): Promise<tf.Tensor4D>;
  /** The objective at images, one value each. */
  values(x: tf.Tensor4D): tf.Tensor1D;
}

/** Mean objectives after an attack. */
async function reached(probes: readonly Probe[], settings: AttackSettings): Promise<number[]> {
  const means: number[] = [];
  for (const { attack, values } of probes) {
    const attacked = await attack(settings);
    const [mean] = await readAndFree(() => tf.mean(values(attacked)), attacked);
    means.push(mean);
  }
  return means;
}

/** What `work` comes to; `used` is freed. */
async function readAndFree(work: () => tf.Tensor, ...used: tf.Tensor[]): Promise<Float32Array> {
  let found: tf.Tensor | undefined;
  try {
    found = tf.tidy(work);
    return await found.data<'float32'>();
  } finally {
    tf.dispose([...used, ...(found ? [found] : [])]);
  }
}

type Probed = { samples: Int32Array; images: tf.Tensor4D };

async function probedImages({ data, seed, signal }: SanitySetting): Promise<Probed> {
  // The streams keep the checks' first name: another would draw other images.
  const order = randomStream(seed, 'honesty').permutation(data.labels.length);
  const samples = order.slice(0, COUNT).sort();
  return { samples, images: await data.batch(samples, { signal }) };
}

function probeOf(
  { ensemble, context, seed }: SanitySetting,
  name: string,
  { samples, images }: Probed,
  told: (settings: AttackSettings) => void,
): Probe {
  const labels = samples.map((sample) => context.labels[sample]);
  const goal = objective(name);
  const gallery = galleryOf(context, samples);
  const known = { labels, centroids: context.centroids, gallery };
  const attack = async (settings: AttackSettings) => {
    const model = ensemble;
    const attacked = await runAttackLater({
      model,
      images,
      objective: goal,
      settings,
      ...known,
      seed,
      path: ['honesty'],
    });
    told(settings);
    return attacked;
  };
  const values = (x: tf.Tensor4D) =>
    goal.bind({ clean: () => ensemble.apply(images), ...known, random: randomStream(seed) })(ensemble.apply(x));
  return { images, labels, attack, values };
}

/** Of each of {@link GOALS}. */
type Named = [label: string, values: number[]];

function noLess(name: SanityCheck['name'], [weakLabel, weak]: Named, [strongLabel, strong]: Named): SanityCheck {
  const passed = strong.every((value, i) => value >= weak[i] - tolerance(weak[i]));
  return { name, passed, detail: besideText([weakLabel, weak], [strongLabel, strong]) };
}

/** "centroid-margin 0.100 at 5 steps, 0.200 at 20 steps; retrieval ..." */
function besideText([label, values]: Named, [otherLabel, others]: Named): string {
  const texts = GOALS.map((goal, i) => {
    return `${goal} ${values[i].toFixed(3)} at ${label}, ${others[i].toFixed(3)} at ${otherLabel}`;
  });
  return texts.join('; ');
}

/** With every image of the box in reach, no more may be left of the classes than guessing finds. */
async function wholeBox({ context, ensemble }: SanitySetting, probe: Probe, box: AttackSettings): Promise<SanityCheck> {
  const images = await probe.attack(box);
  const data = await readAndFree(() => ensemble.apply(images), images);
  const rows = probe.labels.length;
  const nearest = await assignToCentroids({ data, rows, cols: data.length / rows }, context.means);
  const share = nearest.reduce((sum, c, i) => sum + (c === probe.labels[i] ? 1 : 0), 0) / rows;
  const chance = 1 / context.means.rows;
  const detail = `${(100 * share).toFixed(0)}% nearest to their own mean when every image is in reach; chance ${(100 * chance).toFixed(0)}%`;
  return { name: 'whole-box', passed: share <= chance + 0.1, detail };
}

async function blackBox(attack: AttackSettings | undefined, probes: Probe[], white: number[]): Promise<SanityCheck> {
  if (!attack) return notMade('black-box', 'there is no Square attack in l1');
  const black = await reached(probes, attack);
  const passed = black.every((value, i) => value <= white[i] + tolerance(white[i]));
  const detail = besideText(['100 random squares', black], ['20 steps of gradients', white]);
  return { name: 'black-box', passed, detail };
}

/** The images that have no gradient under one goal or another. */
async function gradients({ differentiable }: SanitySetting, probes: Probe[]): Promise<SanityCheck> {
  if (!differentiable) return { name: 'gradients', passed: false, detail: 'the model has no gradient by its images' };
  const shares: number[] = [];
  for (const { images, values } of probes) {
    const largest = await readAndFree(() => {
      const gradient = tf.grad((x) => tf.sum(values(x as tf.Tensor4D)))(images);
      return tf.max(tf.abs(gradient), [1, 2, 3]);
    });
    shares.push(largest.filter((size) => !(size > 1e-12)).length / largest.length);
  }
  const zero = shares.reduce((a, b) => Math.max(a, b), 0);
  return { name: 'gradients', passed: zero <= MASKED, detail: `${(100 * zero).toFixed(0)}% of images have none` };
}

function collapse(clean: SetContext['clean']): SanityCheck {
  if (clean.rows < 3) return notMade('collapse', 'two images span one direction at most');
  const { meanSquaredDistance, effectiveRank } = spreadOf(clean);
  const passed = meanSquaredDistance >= 0.02 && effectiveRank >= 1.2;
  const detail = `mean squared distance ${meanSquaredDistance.toFixed(3)}, effective rank ${effectiveRank.toFixed(1)}`;
  return { name: 'collapse', passed, detail };
}

/**
 * The ensemble as attacks see it: as it is where its gradient exists, else with a gradient of zero, so that an evaluation
 * can be made and its checks can say what they found.
 */
export function attackable(ensemble: Ensemble): {
  model: Pick<Ensemble, 'apply' | 'embedding'>;
  differentiable: boolean;
} {
  if (hasGradient(ensemble)) return { model: ensemble, differentiable: true };
  const opaque = tf.customGrad((x) => ({
    value: ensemble.apply(x as tf.Tensor4D),
    gradFunc: () => tf.zerosLike(x as tf.Tensor),
  }));
  const apply = (images: tf.Tensor4D) => opaque(images) as tf.Tensor2D;
  return { model: { apply, embedding: ensemble.embedding }, differentiable: false };
}

function hasGradient(ensemble: Ensemble): boolean {
  const sum = (x: tf.Tensor4D) => tf.sum<tf.Scalar>(ensemble.apply(x));
  return tf.tidy(() => {
    const image = tf.fill([1, ...ensemble.inputShape], 0.5) as tf.Tensor4D;
    // tf.grad would throw where no path leads to the image, and keep what it had saved for the way back.
    const { grads } = tf.engine().gradients(() => sum(image), [image], undefined, true);
    return Boolean(grads[0]) as never;
  }) as boolean;
}
