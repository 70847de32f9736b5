import type { AttackSettings } from '../attacks/index.js';
import { type ClassNames, namesAmong } from '../class-names.js';
import { classesOf, type Dataset, type Source, sourceOf, subset } from '../data/index.js';
import { invalid } from '../errors.js';
import { joined } from '../joined.js';
import { Ensemble } from '../models/index.js';
import { membersBy } from '../models/norm-sets.js';
import { sharingOf } from '../models/shared-ensemble.js';
import { parseOptions } from '../options.js';
import { randomStream } from '../random.js';
import type { Sharing } from '../sharing.js';
import { onBackend } from '../tfjs/index.js';
import { checkEvaluated } from './checks.js';
import { COMPOSITE } from './composite.js';
import type { CurvePoint, StepPoint } from './curve.js';
import { notDefinedOn, type Reasons } from './defined.js';
import { type EvaluationManifest, manifestOf } from './manifest.js';
import { cleanSetOf } from './measured-set.js';
import { type EvaluateOptions, type EvaluateSettings, evaluateOptions } from './options.js';
import type { AttackFields, ReportFields } from './protocols/index.js';
import { runPlans } from './run-plans.js';
import type { SanityCheck } from './sanity/checks.js';
import { type Scores, type WorstCase, worstCase } from './scores.js';
import { checkUnseen } from './seen.js';
import { type AttackPlan, suite } from './suites/index.js';

/** Starts matter less, and take long, above. */
const MANY_CLUSTERS = 1000;

/** One attack, and the scores under it, which the protocols give. */
export interface AttackResult extends AttackFields {
  name: string;
  objective: string;
  /** Absent of the composite, which takes no step of its own. */
  settings?: AttackSettings;
  seconds: number;
  /** Of the composite: the share of the images by the set that gives them, for clustering. */
  from?: Record<string, number>;
  /** Why the attack could not be made; its scores are then null. */
  notRun?: string;
}

/** Plain values throughout: JSON.stringify gives the report's file. What the protocols give is beside the rest. */
export interface EvaluationReport extends ReportFields {
  manifest: EvaluationManifest;
  /** Of the classes measured, by label, where the data have names. No figure depends on them. */
  classNames?: ClassNames;
  clean: Scores;
  /** Why metrics are null in all of the report: what the evaluated labels leave undefined. */
  notDefined: Reasons;
  attacks: AttackResult[];
  /** The headline: the lowest score of each metric over clean and attacked images, and which of them gave it. */
  worst: WorstCase;
  /** The worst case by radius, where `epsilons` were given: from the smallest, which may be 0. */
  curve?: CurvePoint[];
  /** The worst case by the number of steps that attacks take, where `stepCounts` were given: from the fewest. */
  stepCurve?: StepPoint[];
  /** Whether the figures can be believed: read these first. */
  checks: SanityCheck[];
  seconds: number;
}

/**
 * Measures an ensemble on `data`: its embeddings clustered (transductively, k-means) and searched (attacked queries,
 * clean gallery), on clean images, under every attack of the suite, and in the worst case per metric. Attacks go
 * through the whole ensemble, and last comes their `composite`, which takes each image from the set where it does most. An attack that moves whole classes onto one another can raise a clustering score, which
 * is why the worst case over many attacks counts and no single one. Beside that: the inductive protocol, the worst case
 * of each sample, and checks that say whether the attacks worked as attacks; on request the partial protocol and the
 * transfer between members. What images leave undefined is null, with its reason: retrieval where no class has two images,
 * some of clustering, and most attacks, where there is one class.
 * Errors: ERR_ARGUMENT (options, data that do not fit the ensemble, embeddings that are no unit rows), ERR_NOT_FINITE,
 * ERR_BACKEND, ERR_ABORTED, ERR_DATA where the ensemble was trained on what is measured (see `allowSeen`).
 *
 * @example
 * ```ts
 * import { evaluate, loadEnsemble, openData, reportText } from 'eat-dml';
 *
 * const ensemble = await loadEnsemble('runs/eat');
 * const { test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['test'] });
 * const report = await evaluate(ensemble, unseen, { suite: 'standard', epsilon: 8 / 255, seed: 1 });
 * console.log(report.clean.nmi, report.worst.scores.nmi, report.worst.by.nmi);
 * console.log(reportText(report));
 * ```
 */
export async function evaluate(
  ensemble: Ensemble,
  data: Source | Dataset,
  options: EvaluateOptions = {},
): Promise<EvaluationReport> {
  const settings = parseOptions(evaluateOptions, options);
  const { reference, gallery, batchNorm } = settings;
  checkEvaluated(ensemble, data, { reference, gallery });
  const evaluated = batchNorm ? new Ensemble(membersBy(ensemble, batchNorm), ensemble.trainedOn) : ensemble;
  const sharing = sharingOf(ensemble);
  return onBackend(settings.backend, (backend) => measured(evaluated, sourceOf(data), settings, { backend, sharing }));
}

async function measured(
  ensemble: Ensemble,
  data: Source,
  given: EvaluateSettings,
  { backend, sharing }: { backend: EvaluationManifest['backend']; sharing: Sharing },
): Promise<EvaluationReport> {
  const start = performance.now();
  const options = { ...given, ranking: given.ranking || (given.suite === 'robrank' && !given.attacks) };
  const { epsilon, norm, seed, batchSize, signal, restarts } = options;
  const plans = options.attacks ?? suite(options.suite, { norm, epsilon, restarts });
  checkPlans(plans);
  const evaluated = drawn(data, options.count, seed);
  const seen = await checkUnseen(ensemble, evaluated, options);
  const gallery = options.gallery && sourceOf(options.gallery);
  if (gallery) await checkUnseen(ensemble, gallery, options);
  const labels = gallery ? joined([evaluated.labels, gallery.labels]) : evaluated.labels;
  const classes = classesOf({ labels }).length;
  const classNames = namesAmong(labels, { ...gallery?.classNames, ...evaluated.classNames });
  const k = options.k ?? classes;
  const clusterRestarts = options.clusterRestarts ?? (k > MANY_CLUSTERS ? 5 : 20);
  const scoring = { k, seed, clusterRestarts, recallAt: options.recallAt, signal, sharing };
  const clean = await cleanSetOf(ensemble, { data: evaluated, gallery }, scoring);
  const scores = await clean.scores();
  const reference = options.reference && sourceOf(options.reference);
  const found = await runPlans({
    ensemble,
    data: evaluated,
    gallery,
    reference,
    plans,
    options,
    scoring,
    clean,
  });
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
    batchNorm: ensemble.members.some((member) => member.by) ? 'adversarial' : options.batchNorm,
    trainedOn: ensemble.trainedOn?.hash,
    seen,
  };
  return {
    manifest: await manifestOf(evaluated, manifest, { gallery, signal }),
    ...(classNames && { classNames }),
    clean: scores,
    notDefined: notDefinedOn(evaluated.labels, gallery?.labels),
    ...found,
    worst: worstCase([{ name: 'clean', scores }, ...found.attacks]),
    seconds: (performance.now() - start) / 1000,
  };
}

/** `count` random images in their order, or all. */
function drawn(data: Source, count: number | undefined, seed: number): Source {
  const { length } = data.labels;
  if (count === undefined || count >= length) return data;
  const order = randomStream(seed, 'evaluation-sample').permutation(length);
  return subset(data, order.slice(0, count).sort());
}

function checkPlans(plans: AttackPlan[]): void {
  const names = plans.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || ['clean', COMPOSITE].includes(name));
  if (twice === undefined) return;
  throw invalid('attacks', `a different name for every attack, none of them "clean" or "${COMPOSITE}"`, twice);
}
