import * as tf from '@tensorflow/tfjs';
import { attackContext } from '../attacks/index.js';
import type { Dataset } from '../data/index.js';
import { invalid, inWordsOf } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import type { Ensemble } from '../models/index.js';
import { attackDataset, type SetContext } from './attack-dataset.js';
import { whyNotRun } from './defined.js';
import type { AttackResult, EvaluationReport } from './evaluate.js';
import type { EvaluateSettings } from './options.js';
import { type PartialRun, partialResults } from './partial.js';
import { PerSample } from './per-sample.js';
import { attackable, sanityChecks } from './sanity.js';
import { clustersOf, inductiveScores, type ScoringOptions, scoresOf, UNDEFINED, UNDEFINED_CLUSTERS } from './scores.js';
import { type AttackPlan, suite } from './suites/index.js';
import { transferMatrix } from './transfer.js';

/** What every part of one evaluation shares. */
export interface EvaluationRun {
  ensemble: Ensemble;
  data: Dataset;
  plans: AttackPlan[];
  options: EvaluateSettings;
  scoring: ScoringOptions;
  /** Clean embeddings. */
  gallery: Matrix;
  onBatch(plan: AttackPlan, images: number): void;
}

type Measured = Pick<EvaluationReport, 'attacks' | 'perSample' | 'checks' | 'partial' | 'transfer'>;

/** Runs the checks, every plan, and the protocols asked for. */
export async function runPlans(run: EvaluationRun): Promise<Measured> {
  const { ensemble, data, options, scoring, gallery } = run;
  const { epsilon, norm, seed, batchSize, signal } = options;
  const { labels, centroids } = await attackContext(gallery, data.labels);
  const context = { labels, centroids, gallery: tf.tensor2d(gallery.data, [gallery.rows, gallery.cols]) };
  const { model, differentiable } = attackable(ensemble);
  const attack = { ensemble: model, data, context, seed, batchSize, signal };
  try {
    const sanity = { ...attack, differentiable, clean: gallery, norm, epsilon };
    const checks = await sanityChecks(sanity);
    const { attacks, perSample } = await attackAll(run, attack, context);
    const hardest = suite('quick', { norm, epsilon });
    const { partial: shares } = options;
    const partial = await partialResults(attack, shares, hardest, gallery, scoring);
    const plan = hardest[1];
    const transfer = options.transfer
      ? await transferMatrix({ ensemble, data, plan, seed, batchSize, signal }, scoring)
      : undefined;
    return { attacks, perSample, checks, ...(shares.length > 0 && { partial }), ...(transfer && { transfer }) };
  } finally {
    tf.dispose([context.centroids, context.gallery]);
  }
}

async function attackAll(run: EvaluationRun, attack: PartialRun, { labels, centroids }: SetContext) {
  const { data, plans, options, scoring, gallery, onBatch } = run;
  const { signal } = options;
  const clusters = (await clustersOf(await referenceOf(run), scoring)).centroids;
  const means = { data: await centroids.data<'float32'>(), rows: centroids.shape[0], cols: gallery.cols };
  const survivors = new PerSample(labels, gallery, means, signal);
  await survivors.add(gallery);
  const attacks: AttackResult[] = [];
  for (const plan of plans) {
    const { name, objective, settings } = plan;
    const notRun = whyNotRun(objective, centroids.shape[0]);
    if (notRun) {
      const unknown = { scores: UNDEFINED, inductive: UNDEFINED_CLUSTERS, seconds: 0, notRun };
      attacks.push({ name, objective: objective.name, settings, ...unknown });
      continue;
    }
    const start = performance.now();
    const attacked = await attackDataset({ ...attack, plan, onBatch: (images) => onBatch(plan, images) });
    await survivors.add(attacked);
    const scores = await scoresOf(attacked, data.labels, gallery, scoring);
    const inductive = await inductiveScores(attacked, data.labels, clusters, signal);
    const seconds = (performance.now() - start) / 1000;
    attacks.push({ name, objective: objective.name, settings, scores, inductive, seconds });
  }
  return { attacks, perSample: survivors.worst() };
}

/** What the inductive protocol's clusters are found on: reference data, or the clean set itself. */
async function referenceOf({ ensemble, gallery, options, scoring }: EvaluationRun): Promise<Matrix> {
  const { reference, signal } = options;
  if (!reference) return gallery;
  const { k } = scoring;
  if (reference.length < k) throw invalid('reference', `at least ${k} images, as many as clusters,`, reference.length);
  return ensemble.embed(reference, { signal }).catch((error) => {
    throw inWordsOf(error, { images: 'the images of reference' });
  });
}
