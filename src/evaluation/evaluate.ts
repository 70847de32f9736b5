import { type AttackNorm, type AttackSettings, attackContext } from '../attacks/index.js';
import { classesOf, type Dataset, subset } from '../data/index.js';
import { invalid } from '../errors.js';
import { type BackendName, chooseBackend, type EmbeddingMatrix, type Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import { attackDataset } from './attack-dataset.js';
import { type EvaluationManifest, manifestOf } from './manifest.js';
import { type EvaluationProgress, progressReporter } from './progress.js';
import { type MetricName, type Scores, scoresOf, worstCase } from './scores.js';
import { type AttackPlan, type SuiteName, suite } from './suites.js';

export interface EvaluateOptions {
  /** Default `standard`. */
  suite?: SuiteName;
  /** Attacks of your own instead of a suite. */
  attacks?: AttackPlan[];
  /** Radius of the suite's attacks, in [0, 1] pixel units (default 0.1). */
  epsilon?: number;
  /** Default `linf`. */
  norm?: AttackNorm;
  /** Default 0. */
  seed?: number;
  /** Random restarts of each of the suite's PGD attacks. */
  restarts?: number;
  /** Number of clusters (default the number of classes). */
  k?: number;
  /** k-means starts (default 5). */
  clusterRestarts?: number;
  /** Evaluate this many images, drawn at random, instead of all. */
  count?: number;
  /** Images per attacked batch (default 128); the objective `joint-pairwise` works within a batch. */
  batchSize?: number;
  /** The tfjs backend (default `auto`). */
  backend?: BackendName | 'auto';
  onProgress?: (progress: EvaluationProgress) => void;
  signal?: AbortSignal;
}

/** The scores under one attack. */
export interface AttackResult {
  name: string;
  objective: string;
  settings: AttackSettings;
  scores: Scores;
  seconds: number;
}

/** Plain values throughout: JSON.stringify gives the report's file. */
export interface EvaluationReport {
  manifest: EvaluationManifest;
  clean: Scores;
  attacks: AttackResult[];
  /** The headline: the lowest score of each metric over clean and attacked images, and which of them gave it. */
  worst: { scores: Scores; by: Record<MetricName, string> };
  seconds: number;
}

/**
 * Measures an ensemble on `data`: its embeddings clustered (transductively, k-means) and searched (attacked queries,
 * clean gallery), on clean images, under every attack of the suite, and in the worst case per metric. Attacks go
 * through the whole ensemble. An attack that moves whole classes onto one another can raise a clustering score, which
 * is why the worst case over many attacks counts and no single one.
 * Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_ABORTED.
 */
export async function evaluate(
  ensemble: Ensemble,
  data: Dataset,
  options: EvaluateOptions = {},
): Promise<EvaluationReport> {
  const start = performance.now();
  const { epsilon = 0.1, norm = 'linf', seed = 0, batchSize = 128, clusterRestarts = 5, signal, onProgress } = options;
  const plans = options.attacks ?? suite(options.suite ?? 'standard', { norm, epsilon, restarts: options.restarts });
  checkPlans(plans);
  const evaluated = drawn(data, options.count, seed);
  const classes = classesOf(evaluated).length;
  const k = options.k ?? classes;
  const backend = await chooseBackend({ backend: options.backend ?? 'auto' });
  const scoring = { k, seed, clusterRestarts, signal };
  const gallery = await ensemble.embed(evaluated, { signal });
  const clean = await scoresOf(gallery, evaluated.labels, gallery, scoring);
  const run = { ensemble, data: evaluated, seed, batchSize, signal };
  const report = progressReporter(onProgress, plans, evaluated.length);
  const attacks = await runPlans(plans, gallery, run, scoring, report);
  const given = {
    classes,
    members: ensemble.members.length,
    k,
    clusterRestarts,
    norm,
    epsilon,
    seed,
    batchSize,
    backend,
  };
  return {
    manifest: manifestOf(evaluated, given),
    clean,
    attacks,
    worst: worstCase([{ name: 'clean', scores: clean }, ...attacks]),
    seconds: (performance.now() - start) / 1000,
  };
}

type Run = Pick<Parameters<typeof attackDataset>[0], 'ensemble' | 'data' | 'seed' | 'batchSize' | 'signal'>;

async function runPlans(
  plans: AttackPlan[],
  gallery: EmbeddingMatrix,
  run: Run,
  scoring: Parameters<typeof scoresOf>[3],
  report: (plan: AttackPlan, images: number) => void,
): Promise<AttackResult[]> {
  const { labels } = run.data;
  const context = await attackContext(gallery, labels);
  try {
    const results: AttackResult[] = [];
    for (const plan of plans) {
      const start = performance.now();
      const attacked = await attackDataset({ ...run, plan, context, onBatch: (images) => report(plan, images) });
      const scores = await scoresOf(attacked, labels, gallery, scoring);
      const seconds = (performance.now() - start) / 1000;
      results.push({ name: plan.name, objective: plan.objective.name, settings: plan.settings, scores, seconds });
    }
    return results;
  } finally {
    context.centroids.dispose();
  }
}

/** `count` random images in their order, or all. */
function drawn(data: Dataset, count: number | undefined, seed: number): Dataset {
  if (count === undefined || count >= data.length) return data;
  if (!Number.isSafeInteger(count) || count < 2) throw invalid('count', 'an integer of at least 2', count);
  const order = randomStream(seed, 'evaluation-sample').permutation(data.length);
  return subset(data, order.slice(0, count).sort());
}

function checkPlans(plans: AttackPlan[]): void {
  const names = plans.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || name === 'clean');
  if (twice !== undefined) throw invalid('attacks', 'a different name for every attack, none of them "clean"', twice);
}
