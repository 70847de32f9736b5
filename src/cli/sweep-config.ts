import { z } from 'zod';
import { configSchema } from './config.js';

const runConfig = configSchema.omit({ $schema: true, seed: true, backend: true, device: true });

/** What `eat-dml sweep` reads: every run of the grid, label by seed by budget. */
export const sweepSchema = z.strictObject({
  out: z.string().describe('folder of the results'),
  seeds: z.array(z.int()).min(1),
  base: configSchema.describe('what all runs share'),
  runs: z
    .record(z.string().regex(/^[\w.+-]+$/, 'letters, digits and . _ + - only'), runConfig)
    .describe('by label, what differs from the base'),
  reference: z
    .string()
    .optional()
    .describe('label of a run: every other is also trained for as many epochs as that one’s compute buys'),
});

export type SweepConfig = z.infer<typeof sweepSchema>;

/** How long a run trains: as many epochs as configured, or as many as the reference's compute buys. */
export type Budget = 'epochs' | 'compute';

export interface SweepJob {
  label: string;
  seed: number;
  budget: Budget;
  /** Below the sweep's folder; `/` on every system. */
  folder: string;
}

/** Every job of the grid, in a fixed order: seeds outermost, so that early results can be compared. */
export function jobsOf({ seeds, runs, reference }: SweepConfig): SweepJob[] {
  const labels = Object.keys(runs);
  const budgets: Budget[] = reference === undefined ? ['epochs'] : ['epochs', 'compute'];
  return seeds.flatMap((seed) =>
    budgets.flatMap((budget) =>
      labels
        .filter((label) => budget === 'epochs' || label !== reference)
        .map((label) => ({ label, seed, budget, folder: `${label}/${budget}/seed-${seed}` })),
    ),
  );
}

/** Every n-th job from the i-th on, "i/n", i from 1. */
export function shardOf(jobs: SweepJob[], [i, n]: [number, number]): SweepJob[] {
  return jobs.filter((_, at) => at % n === i - 1);
}
