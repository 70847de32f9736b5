import type { AttackNorm, AttackSettings } from '../attacks/index.js';
import { classesOf, type Dataset, subset } from '../data/index.js';
import { invalid } from '../errors.js';
import { type BackendName, chooseBackend, type Ensemble } from '../models/index.js';
import { randomStream } from '../random.js';
import { notDefinedOn, type Reasons } from './defined.js';
import type { HonestyCheck } from './honesty.js';
import { type EvaluationManifest, manifestOf } from './manifest.js';
import type { PartialResult } from './partial.js';
import type { PerSampleWorst } from './per-sample.js';
import { type EvaluationProgress, progressReporter } from './progress.js';
import { runPlans } from './run-plans.js';
import { type ClusterScores, type Scores, scoresOf, type WorstCase, worstCase } from './scores.js';
import { checkUnseen } from './seen.js';
import { type AttackPlan, type SuiteName, suite } from './suites.js';
import type { TransferMatrix } from './transfer.js';

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
  /** Evaluate this many images, drawn at random, instead of all; all where there are no more. */
  count?: number;
  /** Images per attacked batch (default 128); the objective `joint-pairwise` works within a batch. */
  batchSize?: number;
  /** Clean data whose k-means clusters the inductive protocol assigns to (default: the evaluated set, clean). */
  reference?: Dataset;
  /** Shares of the set to attack in the partial protocol, such as [0.01, 0.05, 0.1, 0.5]; none by default. */
  partial?: readonly number[];
  /** Also attack every member alone and measure all others (default false). */
  transfer?: boolean;
  /** Measure images and classes that the ensemble is known to have been trained on, too, and count them (default false). */
  allowSeen?: boolean;
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
  /** The attacked images assigned to clusters that were found on clean data. */
  inductive: ClusterScores;
  seconds: number;
  /** Why the attack could not be made; its scores are then null. */
  notRun?: string;
}

/** Plain values throughout: JSON.stringify gives the report's file. */
export interface EvaluationReport {
  manifest: EvaluationManifest;
  clean: Scores;
  /** Why metrics are null in all of the report: what the evaluated labels leave undefined. */
  notDefined: Reasons;
  attacks: AttackResult[];
  /** The headline: the lowest score of each metric over clean and attacked images, and which of them gave it. */
  worst: WorstCase;
  /** What survives the worst attack of each sample. */
  perSample: PerSampleWorst;
  /** Whether the figures can be believed: read these first. */
  checks: HonestyCheck[];
  partial?: PartialResult[];
  transfer?: TransferMatrix;
  seconds: number;
}

/**
 * Measures an ensemble on `data`: its embeddings clustered (transductively, k-means) and searched (attacked queries,
 * clean gallery), on clean images, under every attack of the suite, and in the worst case per metric. Attacks go
 * through the whole ensemble. An attack that moves whole classes onto one another can raise a clustering score, which
 * is why the worst case over many attacks counts and no single one. Beside that: the inductive protocol, the worst case
 * of each sample, and checks that say whether the attacks worked as attacks; on request the partial protocol and the
 * transfer between members. What images leave undefined is null, with its reason: retrieval where no class has two images,
 * some of clustering, and most attacks, where there is one class.
 * Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_ABORTED, ERR_DATA where the ensemble was trained on what is measured (see `allowSeen`).
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
  const seen = checkUnseen(ensemble, evaluated, options.allowSeen ?? false);
  const classes = classesOf(evaluated).length;
  const k = options.k ?? classes;
  const backend = await chooseBackend({ backend: options.backend ?? 'auto' });
  const scoring = { k, seed, clusterRestarts, signal };
  const gallery = await ensemble.embed(evaluated, { signal });
  const clean = await scoresOf(gallery, evaluated.labels, gallery, scoring);
  const onBatch = progressReporter(onProgress, plans, evaluated.length);
  const given = { ...options, epsilon, norm, seed, batchSize };
  const measured = await runPlans({ ensemble, data: evaluated, plans, options: given, scoring, gallery, onBatch });
  const manifest = {
    classes,
    members: ensemble.members.length,
    k,
    clusterRestarts,
    norm,
    epsilon,
    seed,
    batchSize,
    backend,
    trainedOn: ensemble.trainedOn?.hash,
    seen,
  };
  return {
    manifest: manifestOf(evaluated, manifest),
    clean,
    notDefined: notDefinedOn(evaluated.labels),
    ...measured,
    worst: worstCase([{ name: 'clean', scores: clean }, ...measured.attacks]),
    seconds: (performance.now() - start) / 1000,
  };
}

/** `count` random images in their order, or all. */
function drawn(data: Dataset, count: number | undefined, seed: number): Dataset {
  if (count === undefined) return data;
  if (!Number.isSafeInteger(count) || count < 2) throw invalid('count', 'an integer of at least 2', count);
  if (count >= data.length) return data;
  const order = randomStream(seed, 'evaluation-sample').permutation(data.length);
  return subset(data, order.slice(0, count).sort());
}

function checkPlans(plans: AttackPlan[]): void {
  const names = plans.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || name === 'clean');
  if (twice !== undefined) throw invalid('attacks', 'a different name for every attack, none of them "clean"', twice);
}
