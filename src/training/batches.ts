import { z } from 'zod';
import { balancedBatches, uniformBatches } from '../data/index.js';
import { count } from '../options.js';

/** How a step's batch is drawn, as a schema. */
export const batchPlan = z.union(
  [
    z.strictObject({ size: count.describe('images, whatever their class') }),
    z.strictObject({
      classes: count.describe('different classes in a batch'),
      images: count.describe('images of each of them'),
    }),
  ],
  '{classes, images} or {size} of positive integers',
);

/** `classes` x `images` of each, or `size` images whatever their class. */
export type BatchPlan = z.infer<typeof batchPlan>;

/** One epoch's batches of positions in `labels`; every batch of the same size, and every epoch of the same length. */
export function epochBatches(plan: BatchPlan, labels: Int32Array, seed: number, epoch: number): Int32Array[] {
  if ('classes' in plan) return balancedBatches({ labels, classes: plan.classes, images: plan.images, seed, epoch });
  const size = Math.min(plan.size, labels.length);
  return uniformBatches({ count: labels.length, size, seed, epoch, last: 'drop' });
}
