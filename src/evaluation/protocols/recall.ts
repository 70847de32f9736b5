import { z } from 'zod';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { MeasuredSet } from '../measured-set.js';
import type { Protocol } from './protocol.js';

/** Recall@K by its K; null where no image has another of its class to be found. */
export type RecallList = Record<number, number | null>;

/** Recall@K for a list of K. */
export interface RecallResult {
  clean: RecallList;
  /** The lowest over clean and attacked images, for each K alone. */
  worst: RecallList;
}

export interface OfAttack {
  /** Recall@K for the K that were asked for. */
  recall?: RecallList;
}

async function recallOf(set: MeasuredSet, list: readonly number[]): Promise<RecallList> {
  const found = await set.retrieval();
  return Object.fromEntries(list.map((k) => [k, found?.scores.recallAt[k] ?? null]));
}

function lower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

const LIST = 'a list of positive integers';
const recallOptions = z.strictObject({
  recallAt: z
    .array(count, LIST)
    .default([])
    .describe('the K of further Recall@K, such as 1, 10, 100, 1000 (of a run: as papers have them for its data)'),
});

export const recallPart = part(
  'recall',
  'Recall@K for a list of K, as papers have it for a data set',
  recallOptions,
  (options): Protocol<OfAttack, { recall?: RecallResult }> => {
    const { recallAt: list } = parseOptions(recallOptions, options);
    return async ({ clean }) => {
      if (list.length === 0) return undefined;
      const before = await recallOf(clean, list);
      const worst = { ...before };
      return {
        async attacked(set) {
          const recall = await recallOf(set, list);
          for (const k of list) worst[k] = lower(worst[k], recall[k]);
          return { recall };
        },
        notRun: { recall: Object.fromEntries(list.map((k) => [k, null])) },
        end: async () => ({ recall: { clean: before, worst } }),
      };
    };
  },
);
