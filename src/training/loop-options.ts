import { z } from 'zod';
import { atLeast, count, nonNegative } from '../options.js';
import { batchPlan } from './batches.js';
import { clip } from './clip.js';
import { decay } from './parameter-groups.js';
import { schedule } from './schedule.js';

const SHARE = 'a number in (0, 1)';

/** What a recipe may set: all of the loop that is plain values. */
export const loopShape = {
  epochs: count.default(10).describe('passes over the data'),
  batch: batchPlan.default({ size: 128 }).describe('classes x images of each, or size images whatever their class'),
  learningRate: nonNegative.default(1e-3).describe('of the networks'),
  proxyLearningRate: nonNegative.optional().describe('of the proxies (default 100 times that of the networks)'),
  weightDecay: nonNegative.default(1e-4).describe('decoupled, of networks and proxies'),
  decay: decay
    .optional()
    .describe('what weight decay is for: all (default), or kernels: not biases, nor gamma and beta of normalisations'),
  schedule: schedule.optional().describe('how the learning rates change (default not at all)'),
  warmUp: atLeast(0, 'an integer >= 0')
    .optional()
    .describe('epochs at the beginning in which head and proxies alone move (default 0)'),
  clip: clip.optional().describe('how gradients are cut: none (default), by value, or by the norm of all'),
  microBatch: count
    .optional()
    .describe(
      'images of a member that are in its network at a time in an update (default all); the loss is over the batch',
    ),
  recompute: z
    .boolean('true or false')
    .optional()
    .describe(
      'keep of each block of a network its input alone, and compute the rest again for gradients (default false)',
    ),
  ema: z
    .number(SHARE)
    .gt(0, SHARE)
    .lt(1, SHARE)
    .optional()
    .describe('share of itself that the moving average of the weights keeps in a step: validated, and the result'),
};

const loop = z.strictObject(loopShape);

/** Options of the training loop, as they are given. */
export type LoopOptions = z.input<typeof loop>;
