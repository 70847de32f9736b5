import { type Dataset, type Source, subset } from '../data/index.js';
import { type BatchPlan, epochBatches } from '../training/batches.js';
import { train } from '../training/index.js';
import { settingsOf } from '../training/options.js';
import { trainOptionsOf } from './make.js';
import type { Config } from './schema.js';

/** Batches that the cost is counted on. */
const BATCHES = 4;

/** The epochs of a configuration on the data: its own, or its recipe's. */
export function epochsOf(config: Config, data: Source | Dataset): number {
  return settingsOf({ ...trainOptionsOf(config), data }).epochs;
}

/** Forward and backward passes of one image that a method takes per image drawn, counted by training on a few batches of the data. */
export async function costOf(config: Config, data: Source | Dataset): Promise<number> {
  const options = trainOptionsOf(config);
  const { batch, seed } = settingsOf({ ...options, data });
  const sample = subset(data, samplesOf(batch, data, seed));
  // Neither validations nor a warm-up, in which fewer variables move, take or spare a pass that is counted.
  const trained = await train({ ...options, data: sample, epochs: 1, warmUp: 0, validation: undefined });
  const { gradientEvaluations, forwardPasses, imagesSeen } = trained.history;
  trained.dispose();
  return (gradientEvaluations + forwardPasses) / imagesSeen;
}

/** The images of the first batches: as mixed in class as training draws them, whatever order the data are in. */
function samplesOf(batch: BatchPlan, { labels }: Pick<Source, 'labels'>, seed: number): Int32Array {
  const batches = epochBatches(batch, labels, seed, 0).slice(0, BATCHES);
  return Int32Array.from(new Set(batches.flatMap((indices) => [...indices])));
}
