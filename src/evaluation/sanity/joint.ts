import type { AttackResult } from '../evaluate.js';
import type { MeasuredSet } from '../measured-set.js';
import { clusterScores, clustersOf, type ScoringOptions } from '../scores.js';
import type { AttackPlan } from '../suites/index.js';
import type { SanityCheck } from './checks.js';

/** Further seeds of k-means on the clean set, whose NMI says how much chance moves it. */
const SEEDS = 4;

/**
 * An attack on all images together that leaves NMI above clean is none: no joint objective may, by more than the noise of k-means
 * (three sd over five seeds) and of so few images (0.5 / sqrt n).
 */
export async function jointCheck(
  plans: readonly AttackPlan[],
  attacks: readonly AttackResult[],
  clean: MeasuredSet,
  scoring: ScoringOptions,
): Promise<SanityCheck> {
  const name = 'joint-objectives';
  const joint = attacks.filter((attack) => plans.some((plan) => plan.objective.joint && plan.name === attack.name));
  const made = joint.flatMap(({ name: attack, scores: { nmi } }) => (nmi === null ? [] : [{ attack, nmi }]));
  if (made.length === 0)
    return { name, passed: null, detail: 'not made: there is no NMI under an attack on all images together' };
  const values = [(await clean.scores()).nmi!];
  for (let i = 1; i <= SEEDS; i++) values.push(await cleanNmi(clean, { ...scoring, seed: scoring.seed + i }));
  const allowed = allowance(values, clean.labels.length);
  const highest = made.reduce((a, b) => (b.nmi > a.nmi ? b : a));
  const detail = `NMI ${highest.nmi.toFixed(3)} under ${highest.attack}, ${values[0].toFixed(3)} clean, ${allowed.toFixed(3)} by chance`;
  return { name, passed: highest.nmi <= values[0] + allowed, detail };
}

async function cleanNmi({ embeddings, labels }: MeasuredSet, scoring: ScoringOptions): Promise<number> {
  return clusterScores(labels, (await clustersOf(embeddings, scoring)).labels).nmi!;
}

/** What chance may do to the NMI of so many images, when seeds give these values: three sd, and at least 0.5 / sqrt n. */
export function allowance(values: readonly number[], images: number): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return Math.max(3 * Math.sqrt(variance), 0.5 / Math.sqrt(images));
}
