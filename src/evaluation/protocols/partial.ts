import { z } from 'zod';
import { fraction } from '../../data/splits.js';
import type { Matrix } from '../../kernels/index.js';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { randomStream } from '../../random.js';
import { attackDataset, type DatasetAttack } from '../attack-dataset.js';
import { whyNotRun } from '../defined.js';
import type { MeasuredSet } from '../measured-set.js';
import { progressReporter } from '../progress.js';
import { type ClusterScores, clusterScores, UNDEFINED_CLUSTERS } from '../scores.js';
import { type AttackPlan, suite } from '../suites/index.js';
import type { Protocol, ProtocolRun } from './protocol.js';

/** One attack on a share of the set, clustered with the rest. */
export interface PartialResult {
  /** Share of the images attacked. */
  share: number;
  /** Their number. */
  attacked: number;
  name: string;
  /** Of all images, attacked and not. */
  all: ClusterScores;
  /** Of the images that were not attacked, clustered among those that were. */
  rest: ClusterScores;
  /** What the attack took from images it never touched: their scores in the clean clustering less `rest`. */
  spillOver: ClusterScores;
  /** Why the attack could not be made; its scores are then null. */
  notRun?: string;
}

export type PartialRun = Omit<DatasetAttack, 'plan' | 'samples'> & Pick<ProtocolRun, 'onProgress'>;

/**
 * The partial protocol: of the whole set a random share is attacked (the same images by every attack), and the mixture
 * is clustered. Spill-over is the damage to the rest.
 */
export async function partialResults(
  run: PartialRun,
  shares: readonly number[],
  plans: readonly AttackPlan[],
  clean: MeasuredSet,
): Promise<PartialResult[]> {
  const { labels } = clean;
  const before = (await clean.clusters()).labels;
  const results: PartialResult[] = [];
  const drawn = shares.map((share) => ({ share, samples: drawShare(share, run) }));
  const attacked = drawn.reduce((sum, { samples }) => sum + samples.length, 0);
  const named = (plan: AttackPlan) => ({ ...plan, name: `partial ${plan.name}` });
  const made = plans.filter(({ objective }) => !whyNotRun(objective, run.context.centroids.shape[0]));
  const onBatch = progressReporter(run.onProgress, made.map(named), attacked);
  for (const { share, samples } of drawn) {
    const rest = complement(samples, labels.length);
    for (const plan of plans) {
      const notRun = whyNotRun(plan.objective, run.context.centroids.shape[0]);
      if (notRun) {
        const unknown = { all: UNDEFINED_CLUSTERS, rest: UNDEFINED_CLUSTERS, spillOver: UNDEFINED_CLUSTERS, notRun };
        results.push({ share, attacked: 0, name: plan.name, ...unknown });
        continue;
      }
      const told = (images: number) => onBatch(named(plan), images);
      const mixture = mixed(clean.embeddings, samples, await attackDataset({ ...run, plan, samples, onBatch: told }));
      const clusters = (await clean.moved(mixture).clusters()).labels;
      const [restBefore, restAfter] = [before, clusters].map((found) => scoresAmong(labels, found, rest));
      const spillOver = difference(restBefore, restAfter);
      const all = clusterScores(labels, clusters.subarray(0, labels.length));
      results.push({ share, attacked: samples.length, name: plan.name, all, rest: restAfter, spillOver });
    }
  }
  return results;
}

function drawShare(share: number, { data, seed }: PartialRun): Int32Array {
  const { length } = data.labels;
  const count = Math.min(length - 1, Math.max(1, Math.round(share * length)));
  return randomStream(seed, 'partial', share).permutation(length).slice(0, count).sort();
}

function complement(samples: Int32Array, count: number): Int32Array {
  const chosen = new Set(samples);
  return Int32Array.from({ length: count }, (_, i) => i).filter((i) => !chosen.has(i));
}

function mixed(clean: Matrix, samples: Int32Array, attacked: Matrix): Matrix {
  const data = Float32Array.from(clean.data);
  const { cols } = clean;
  for (const [i, sample] of samples.entries()) {
    data.set(attacked.data.subarray(i * cols, (i + 1) * cols), sample * cols);
  }
  return { ...clean, data };
}

function scoresAmong(labels: Int32Array, clusters: Int32Array, samples: Int32Array): ClusterScores {
  return clusterScores(
    samples.map((i) => labels[i]),
    samples.map((i) => clusters[i]),
  );
}

function difference(a: ClusterScores, b: ClusterScores): ClusterScores {
  const entries = Object.entries(a) as [keyof ClusterScores, number | null][];
  const less = (from: number | null, taken: number | null) => (from === null || taken === null ? null : from - taken);
  return Object.fromEntries(entries.map(([metric, value]) => [metric, less(value, b[metric])])) as ClusterScores;
}

const partialOptions = z.strictObject({
  partial: z
    .array(fraction)
    .default([])
    .describe('shares of the set to attack in the partial protocol, such as 0.01, 0.05, 0.1, 0.5'),
});

export const partialPart = part(
  'partial',
  'a random share of the set is attacked and clustered with the rest: spill-over is what the rest loses',
  partialOptions,
  (options): Protocol<object, { partial?: PartialResult[] }> => {
    const { partial: shares } = parseOptions(partialOptions, options);
    return async ({ attack, norm, epsilon, clean, onProgress }) => {
      if (shares.length === 0) return undefined;
      const plans = suite('quick', { norm, epsilon });
      return { end: async () => ({ partial: await partialResults({ ...attack, onProgress }, shares, plans, clean) }) };
    };
  },
);
