import { balancedBatches, uniformBatches } from '../data/index.js';
import { invalid } from '../errors.js';

/** How a step's batch is drawn: `classes` x `images` of each, or `size` images whatever their class. */
export type BatchPlan = { classes: number; images: number } | { size: number };

/** One epoch's batches of positions in `labels`; every batch of the same size, and every epoch of the same length. */
export function epochBatches(plan: BatchPlan, labels: Int32Array, seed: number, epoch: number): Int32Array[] {
  if ('classes' in plan) return balancedBatches({ labels, classes: plan.classes, images: plan.images, seed, epoch });
  const size = Math.min(plan.size, labels.length);
  return uniformBatches({ count: labels.length, size, seed, epoch, last: 'drop' });
}

export function checkBatchPlan(plan: BatchPlan): void {
  const counts = 'classes' in plan ? [plan.classes, plan.images] : [plan.size];
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 1)) return;
  throw invalid('batch', '{classes, images} or {size} of positive integers', JSON.stringify(plan));
}
