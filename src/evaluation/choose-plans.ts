import { type Source, subset } from '../data/index.js';
import { randomStream } from '../random.js';
import { attackDataset, type DatasetAttack } from './attack-dataset.js';
import { rowsOf } from './attack-together.js';
import { whyNotRun } from './defined.js';
import { MeasuredSet } from './measured-set.js';
import { type EvaluationProgress, progressReporter } from './progress.js';
import type { MetricName, Scores, ScoringOptions } from './scores.js';
import { disposeContext, setContext } from './set-context.js';
import type { AttackPlan } from './suites/index.js';

/** Images that attacks are tried on. */
const SAMPLE = 256;
/** How many are run for each metric that they are chosen by. */
const RUN: Partial<Record<MetricName, number>> = { nmi: 3, recallAt1: 3 };

export interface Choosing extends Omit<DatasetAttack, 'plan' | 'samples' | 'onBatch'> {
  data: Source;
  /** `data`, clean. */
  clean: MeasuredSet;
  scoring: ScoringOptions;
  onProgress?: (progress: EvaluationProgress) => void;
}

/**
 * Of the plans with a probe those that do most on a random sample of the images, by NMI and by Recall@1, and all without one;
 * in their order. A plan that cannot be made on these images stays, and the report says why it was not.
 */
export async function choosePlans(plans: readonly AttackPlan[], run: Choosing): Promise<AttackPlan[]> {
  const open = plans.filter(({ probe, objective }) => probe && !whyNotRun(objective, run.context.means.rows));
  if (open.length === 0) return [...plans];
  const tried = await tryOut(open, run);
  const kept = new Set<AttackPlan>();
  for (const [metric, count] of Object.entries(RUN) as [MetricName, number][]) {
    const order = tried.toSorted((a, b) => (a.scores[metric] ?? 0) - (b.scores[metric] ?? 0));
    for (const { plan } of order.slice(0, count)) kept.add(plan);
  }
  return plans.filter((plan) => !open.includes(plan) || kept.has(plan));
}

/** The scores of a sample of the images under each plan's probe. */
async function tryOut(plans: AttackPlan[], run: Choosing): Promise<{ plan: AttackPlan; scores: Scores }[]> {
  const { data, clean, seed, scoring, onProgress } = run;
  const rows = randomStream(seed, 'evaluation-probe').permutation(data.labels.length).slice(0, SAMPLE).sort();
  const sample = subset(data, rows);
  const embeddings = rowsOf(clean.embeddings, rows);
  const set = new MeasuredSet(embeddings, sample.labels, { ...scoring, k: Math.min(scoring.k, rows.length) });
  const probes = plans.map(({ probe, ...plan }) => ({ ...plan, name: `trying ${plan.name}`, settings: probe! }));
  const onBatch = progressReporter(onProgress, probes, rows.length);
  const context = await setContext(embeddings, sample.labels);
  try {
    const tried = [];
    for (const [i, plan] of probes.entries()) {
      const attack = { ...run, data: sample, context, plan, onBatch: (images: number) => onBatch(plan, images) };
      tried.push({ plan: plans[i], scores: await set.moved(await attackDataset(attack)).scores() });
    }
    return tried;
  } finally {
    disposeContext(context);
  }
}
