import { type Dataset, type Source, subset } from '../data/index.js';
import { type BatchPlan, epochBatches } from '../training/batches.js';
import { train } from '../training/index.js';
import { trainOptionsOf } from './make.js';
import type { Config } from './schema.js';

/** Batches that the cost is counted on. */
const BATCHES = 4;

/** Forward and backward passes of one image that a method takes per image drawn, counted by training on a few batches of the data. */
export async function costOf(config: Config, data: Source | Dataset): Promise<number> {
  const options = trainOptionsOf(config);
  const sample = subset(data, samplesOf(options.batch ?? { size: 128 }, data, options.seed ?? 0));
  const trained = await train({ ...options, data: sample, epochs: 1 });
  const { gradientEvaluations, forwardPasses, imagesSeen } = trained.history;
  trained.dispose();
  return (gradientEvaluations + forwardPasses) / imagesSeen;
}

/** The images of the first batches: as mixed in class as training draws them, whatever order the data are in. */
function samplesOf(batch: BatchPlan, { labels }: Pick<Source, 'labels'>, seed: number): Int32Array {
  const batches = epochBatches(batch, labels, seed, 0).slice(0, BATCHES);
  return Int32Array.from(new Set(batches.flatMap((indices) => [...indices])));
}
