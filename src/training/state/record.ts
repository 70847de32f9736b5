import { z } from 'zod';
import { METRICS } from '../validation/options.js';

const count = z.int().nonnegative();

/** Where a run stands; plain values, stored in checkpoints as they are. */
const position = z.object({
  step: count,
  imagesSeen: count,
  gradientEvaluations: z.number().nonnegative(),
  forwardPasses: z.number().nonnegative().default(0),
  seconds: z.number().nonnegative(),
  /** Mean losses of the completed epochs. */
  losses: z.array(z.number()),
  /** Of the networks, at the last step of each of them; of a run that an earlier version began, of its last epochs alone. */
  learningRates: z.array(z.number()).default([]),
  /** Sum of the mean losses of the steps of the epoch under way. */
  lossSum: z.number(),
  /** Which members had a gradient in the epoch under way. */
  moved: z.array(z.boolean()).default([]),
  /** Completed epochs in which some had none. */
  idle: z.array(z.object({ epoch: count, members: z.array(count) })).default([]),
  /** What the method left for the next step, per member. */
  memory: z.array(z.number().nullable()).default([]),
  /** Completed validations, where there are any. */
  validations: z.array(z.object({ epoch: count, scores: z.partialRecord(z.enum(METRICS), z.number()) })).optional(),
});

export type Position = z.infer<typeof position>;

/** What a checkpoint's record holds besides tensors. */
export const recorded = z.object({
  fingerprint: z.record(z.string(), z.unknown()),
  position,
  optimizerSteps: z.array(count),
  /** Steps of each member's groups of variables, where not all move from the first step. */
  groupSteps: z.array(z.array(count)).optional(),
});

export type Recorded = z.infer<typeof recorded>;
