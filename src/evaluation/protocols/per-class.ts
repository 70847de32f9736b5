import { z } from 'zod';
import { contingencyOf } from '../../clustering/contingency.js';
import { part } from '../../part.js';
import type { MeasuredSet } from '../measured-set.js';
import type { Protocol } from './protocol.js';

/** Scores of one class, each in [0, 1]; of retrieval null where none of its images has another to be found. */
export interface ClassMeasures {
  /** Of its images as queries. */
  recallAt1: number | null;
  mapAtR: number | null;
  /** F1 of the cluster that fits the class best: how far it is found again as one cluster of its own. */
  bestClusterF1: number;
}

/** Scores of the images of one class. */
export interface ClassScores {
  label: number;
  images: number;
  clean: ClassMeasures;
  /** The lowest of each measure, clean and under every attack. */
  worst: ClassMeasures;
}

export interface OfReport {
  /** Class by class, by label. */
  perClass: ClassScores[];
}

/** Scores by the label of the class. */
async function measuresOf(set: MeasuredSet): Promise<Map<number, ClassMeasures>> {
  const { labels } = set;
  const fits = bestFits(set.clusteredLabels(), (await set.clusters()).labels);
  const found = (await set.retrieval())?.found;
  const sums = new Map<number, { queries: number; first: number; precision: number }>();
  for (const [i, label] of labels.entries()) {
    const sum = sums.get(label) ?? { queries: 0, first: 0, precision: 0 };
    sums.set(label, sum);
    if (!found || found.counted[i] === 0) continue;
    sum.queries++;
    sum.first += found.first[i] === 0 ? 1 : 0;
    sum.precision += found.averagePrecision[i];
  }
  const measures = [...sums].map(([label, { queries, first, precision }]) => {
    const mean = (sum: number) => (queries === 0 ? null : sum / queries);
    return [label, { recallAt1: mean(first), mapAtR: mean(precision), bestClusterF1: fits.get(label)! }] as const;
  });
  return new Map(measures);
}

/** Of each class the F1 of the cluster that it has most in common with. */
function bestFits(labels: Int32Array, clusters: Int32Array): Map<number, number> {
  const { rows, cols, counts, classSizes, clusterSizes } = contingencyOf(labels, clusters);
  const best = new Float64Array(classSizes.length);
  for (const [cell, count] of counts.entries()) {
    const f1 = (2 * count) / (classSizes[rows[cell]] + clusterSizes[cols[cell]]);
    best[rows[cell]] = Math.max(best[rows[cell]], f1);
  }
  // The table has classes in the order of their first appearance.
  return new Map([...new Set(labels)].map((label, row) => [label, best[row]]));
}

function lower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.min(a, b);
}

function worstOf(a: ClassMeasures, b: ClassMeasures): ClassMeasures {
  return {
    recallAt1: lower(a.recallAt1, b.recallAt1),
    mapAtR: lower(a.mapAtR, b.mapAtR),
    bestClusterF1: Math.min(a.bestClusterF1, b.bestClusterF1),
  };
}

const perClass: Protocol<object, OfReport> = async ({ clean }) => {
  const before = await measuresOf(clean);
  const worst = new Map(before);
  return {
    async attacked(set) {
      for (const [label, measures] of await measuresOf(set)) worst.set(label, worstOf(worst.get(label)!, measures));
      return {};
    },
    async end() {
      const images = new Map<number, number>();
      for (const label of clean.labels) images.set(label, (images.get(label) ?? 0) + 1);
      const labels = [...before.keys()].sort((a, b) => a - b);
      const scores = labels.map((label) => {
        return { label, images: images.get(label)!, clean: before.get(label)!, worst: worst.get(label)! };
      });
      return { perClass: scores };
    },
  };
};

export const perClassPart = part(
  'per-class',
  'every class by itself: its retrieval, and the cluster that fits it best (always)',
  z.strictObject({}),
  () => perClass,
);
