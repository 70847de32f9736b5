import { balancedBatches, type Dataset, subset, uniformBatches } from '../data/index.js';
import { type TrainOptions, train } from '../training/index.js';
import type { Config } from './config.js';
import { trainOptionsOf } from './from-config.js';

/** Batches that the cost is counted on. */
const BATCHES = 4;

/** Gradients of one image that a method takes per image drawn, counted by training on a few batches of the data. */
export async function costOf(config: Config, data: Dataset): Promise<number> {
  const options = trainOptionsOf(config);
  const sample = subset(data, samplesOf(options.batch ?? { size: 128 }, data, options.seed ?? 0));
  const trained = await train({ ...options, data: sample, epochs: 1 });
  const { gradientEvaluations, imagesSeen } = trained.history;
  trained.dispose();
  return gradientEvaluations / imagesSeen;
}

/** The images of the first batches: as mixed in class as training draws them, whatever order the data are in. */
function samplesOf(batch: NonNullable<TrainOptions['batch']>, { labels }: Dataset, seed: number): Int32Array {
  const draw = { seed, epoch: 0 };
  const batches =
    'classes' in batch
      ? balancedBatches({ ...batch, ...draw, labels })
      : uniformBatches({ ...batch, ...draw, count: labels.length });
  return Int32Array.from(new Set(batches.slice(0, BATCHES).flatMap((indices) => [...indices])));
}
