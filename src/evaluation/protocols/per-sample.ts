import { z } from 'zod';
import type { Matrix } from '../../kernels/index.js';
import { part } from '../../part.js';
import type { MeasuredSet } from '../measured-set.js';
import { assigned, type ScoringOptions } from '../scores.js';
import type { Protocol } from './protocol.js';

/** Shares of samples that no attack of the suite moved: stricter than the worst attack on average. */
export interface PerSampleWorst {
  /**
   * Of the images that have another of their class: the nearest clean image of another index is of the own class, clean and
   * under every attack. null where no image has another.
   */
  recallAt1: number | null;
  /** The nearest class mean of the clean set is the own one, clean and under every attack. */
  nearestMean: number;
}

/** Keeps, sample by sample, what has survived so far. */
export class PerSample {
  private readonly found: Uint8Array;
  private readonly held: Uint8Array;

  constructor(
    /** Class of each sample as a row of `means`. */
    private readonly classOf: Int32Array,
    /** 1 for each sample that has another of its class to be found. */
    private readonly findable: Uint8Array,
    private readonly means: Matrix,
    private readonly scoring: Pick<ScoringOptions, 'signal' | 'sharing'> = {},
  ) {
    this.found = new Uint8Array(classOf.length).fill(1);
    this.held = new Uint8Array(classOf.length).fill(1);
  }

  async add(set: MeasuredSet): Promise<void> {
    const retrieval = await set.retrieval();
    const nearest = await assigned(set.embeddings, this.means, this.scoring);
    for (const [i, mean] of nearest.entries()) {
      this.found[i] &= retrieval?.nearestIsOwnClass[i] ?? 0;
      this.held[i] &= mean === this.classOf[i] ? 1 : 0;
    }
  }

  worst(): PerSampleWorst {
    const count = (list: Uint8Array) => list.reduce((sum, value) => sum + value, 0);
    const others = count(this.findable);
    // One without another of its class is never found.
    const recallAt1 = others === 0 ? null : count(this.found) / others;
    return { recallAt1, nearestMean: count(this.held) / this.held.length };
  }
}

export interface OfReport {
  /** What survives the worst attack of each sample. */
  perSample: PerSampleWorst;
}

const perSample: Protocol<object, OfReport> = async ({ clean, attack: { context }, scoring }) => {
  const survivors = new PerSample(context.labels, clean.findable(), context.means, scoring);
  await survivors.add(clean);
  return {
    async attacked(set) {
      await survivors.add(set);
      return {};
    },
    end: async () => ({ perSample: survivors.worst() }),
  };
};

export const perSamplePart = part(
  'per-sample',
  'the images that no attack of the suite moved (always)',
  z.strictObject({}),
  () => perSample,
);
