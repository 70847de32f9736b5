import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { attackContext } from '../../attacks/index.js';
import { classesOf, type Dataset } from '../../data/index.js';
import { Ensemble } from '../../models/index.js';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackFor } from '../attack-dataset.js';
import { whyNotRun } from '../defined.js';
import { type ScoringOptions, scoresOf } from '../scores.js';
import { type AttackPlan, suite } from '../suites/index.js';
import type { Protocol } from './protocol.js';

/** Row: what the attack was crafted on; column: what embedded the result. Members in order, the whole ensemble last. */
export interface TransferMatrix {
  attack: string;
  nmi: (number | null)[][];
  recallAt1: (number | null)[][];
  /** Why the attack could not be made; all values are then null. */
  notRun?: string;
}

export interface TransferRun {
  ensemble: Ensemble;
  data: Dataset;
  plan: AttackPlan;
  seed: number;
  batchSize: number;
  signal?: AbortSignal;
}

/** How attacks on one member do against every other: the smaller the harm, the more diverse the members are. */
export async function transferMatrix(run: TransferRun, scoring: ScoringOptions): Promise<TransferMatrix> {
  const { ensemble, data, plan, signal } = run;
  const systems = [...ensemble.members.map((member) => new Ensemble([member])), ensemble];
  const notRun = whyNotRun(plan.objective, classesOf(data).length);
  if (notRun) {
    const unknown = systems.map(() => systems.map(() => null));
    return { attack: plan.name, nmi: unknown, recallAt1: unknown, notRun };
  }
  const galleries = await Promise.all(systems.map((system) => system.embed(data, { signal })));
  const [nmi, recallAt1]: (number | null)[][][] = [[], []];
  for (const [i, source] of systems.entries()) {
    const { labels, centroids } = await attackContext(galleries[i], data.labels);
    const { data: values, rows, cols } = galleries[i];
    const gallery = tf.tensor2d(values, [rows, cols]);
    const context = { labels, centroids, gallery };
    try {
      const attacked = await attackFor({ ...run, ensemble: source, context, plan }, systems);
      const scores = [];
      for (const [j, embeddings] of attacked.entries()) {
        scores.push(await scoresOf(embeddings, data.labels, galleries[j], scoring));
      }
      nmi.push(scores.map((score) => score.nmi));
      recallAt1.push(scores.map((score) => score.recallAt1));
    } finally {
      centroids.dispose();
      gallery.dispose();
    }
  }
  return { attack: plan.name, nmi, recallAt1 };
}

const transferOptions = z.strictObject({
  transfer: z.boolean().default(false).describe('also attack every member alone and measure all others'),
});

export const transferPart = part(
  'transfer',
  'every member is attacked alone, and all others are measured: the less harm, the more they differ',
  transferOptions,
  (options): Protocol => {
    const { transfer } = parseOptions(transferOptions, options);
    return async ({ ensemble, data, attack: { seed, batchSize, signal }, norm, epsilon, scoring }) => {
      if (!transfer) return undefined;
      const plan = suite('quick', { norm, epsilon })[1];
      const run = { ensemble, data, plan, seed, batchSize, signal };
      return { end: async () => ({ transfer: await transferMatrix(run, scoring) }) };
    };
  },
);
