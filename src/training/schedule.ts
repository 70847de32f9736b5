import { z } from 'zod';
import { count, positive } from '../options.js';

const SHARE = 'a number in [0, 1]';

const warmUp = z
  .union(
    [
      z.strictObject({ steps: count.describe('steps in which it rises') }),
      z.strictObject({ epochs: count.describe('epochs in which it rises') }),
    ],
    '{steps} or {epochs}, a positive integer',
  )
  .optional()
  .describe('the rate first rises in equal steps to its full height');

const falling = {
  floor: z.number(SHARE).min(0, SHARE).max(1, SHARE).default(0).describe('share of the rate that is left at the end'),
  epochs: count.optional().describe('epochs in which it falls (default all of the run)'),
  warmUp,
};

/** How the learning rates change, as a schema. */
export const schedule = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('constant').describe('as it begins'), warmUp }),
  z.strictObject({
    name: z.literal('step').describe('times gamma every so many epochs'),
    every: count.describe('epochs between two falls'),
    gamma: positive.default(0.5).describe('what the rate is multiplied by'),
    warmUp,
  }),
  z.strictObject({ name: z.literal('cosine').describe('down half a cosine, step by step'), ...falling }),
  z.strictObject({ name: z.literal('linear').describe('down a line, step by step'), ...falling }),
]);

/** How the learning rates change: see {@link rateAt}. */
export type Schedule = z.input<typeof schedule>;

/** With its defaults, `epochs` too. */
export type FilledSchedule = z.output<typeof schedule>;

/** The schedule of a run of `epochs`: what falls over the whole run falls over these. */
export function filledSchedule(given: FilledSchedule, epochs: number): FilledSchedule {
  if (given.name !== 'cosine' && given.name !== 'linear') return given;
  // In one order, whatever was given: a checkpoint compares them as text.
  const { name, floor, warmUp } = given;
  return { name, floor, epochs: given.epochs ?? epochs, ...(warmUp && { warmUp }) };
}

/**
 * What step `step` (from 0) multiplies every learning rate by, where an epoch has `perEpoch` steps; a function of these alone.
 * With e = ⌊step / perEpoch⌋ and t the share of `epochs` that is over, at most 1: step gamma^⌊e / every⌋; cosine
 * floor + (1 - floor) (1 + cos πt) / 2; linear 1 - (1 - floor) t. All times min(1, (step + 1) / n) where the warm-up has n steps.
 */
export function rateAt(schedule: FilledSchedule, step: number, perEpoch: number): number {
  return fallAt(schedule, step, perEpoch) * riseAt(schedule, step, perEpoch);
}

function fallAt(schedule: FilledSchedule, step: number, perEpoch: number): number {
  switch (schedule.name) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.gamma ** Math.floor(Math.floor(step / perEpoch) / schedule.every);
    case 'cosine':
      return schedule.floor + ((1 - schedule.floor) * (1 + Math.cos(Math.PI * over(schedule, step, perEpoch)))) / 2;
    case 'linear':
      return 1 - (1 - schedule.floor) * over(schedule, step, perEpoch);
  }
}

/** The share of the fall that is over. */
function over({ epochs }: { epochs?: number }, step: number, perEpoch: number): number {
  return Math.min(1, step / (epochs! * perEpoch));
}

function riseAt({ warmUp }: FilledSchedule, step: number, perEpoch: number): number {
  if (!warmUp) return 1;
  const steps = 'steps' in warmUp ? warmUp.steps : warmUp.epochs * perEpoch;
  return Math.min(1, (step + 1) / steps);
}
