import { z } from 'zod';
import { configSchema, configShape } from './schema.js';

const { $schema: _, seed: __, backend: ___, device: ____, ...runShape } = configShape;

/** A label is the name of a folder: on every system, and nowhere but in `out`. */
const LABEL = /^[\w+-]([\w.+-]*[\w+-])?$/;
const KEPT_BY_WINDOWS = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** What `eat-dml sweep` reads: every run of the grid, label by seed by budget. */
export const sweepSchema = z.strictObject({
  out: z.string().describe('folder of the results'),
  seeds: z
    .array(z.int())
    .min(1)
    .refine((seeds) => new Set(seeds).size === seeds.length, 'every seed once'),
  base: configSchema.describe('what all runs share'),
  runs: z
    .record(z.string(), z.strictObject(runShape))
    .superRefine(checkLabels)
    .describe('by label, what differs from the base'),
  reference: z
    .string()
    .optional()
    .describe('label of a run: every other is also trained for as many epochs as that one’s compute buys'),
  budgets: z
    .array(z.enum(['epochs', 'compute']))
    .min(1)
    .optional()
    .describe(
      'epochs: every run as it is configured; compute: for as long as the reference’s compute lasts, which is itself run as it is ' +
        '(default both, where there is a reference)',
    ),
});

function checkLabels(runs: object, context: z.core.$RefinementCtx): void {
  const labels = Object.keys(runs);
  const wrong = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', path, message });
  if (labels.length === 0) wrong('expected at least one run');
  const folders = new Set<string>();
  for (const label of labels) {
    if (!LABEL.test(label)) wrong('letters, digits and _ + - only, and points between them', [label]);
    if (KEPT_BY_WINDOWS.test(label)) wrong('a name that Windows keeps for itself', [label]);
    if (folders.has(label.toLowerCase())) wrong('differs from another label in capitals alone', [label]);
    folders.add(label.toLowerCase());
  }
}

/** A grid of runs, as `eat-dml sweep` and {@link sweepConfig} take it (docs/cli.md). */
export type SweepConfig = z.input<typeof sweepSchema>;

/** How long a run trains: as many epochs as configured, or as many as the reference's compute buys. */
export type Budget = 'epochs' | 'compute';

/** One run of a grid: its label, seed, budget and folder. */
export interface SweepJob {
  label: string;
  seed: number;
  budget: Budget;
  /** Below the sweep's folder; `/` on every system. */
  folder: string;
}

/** Every job of the grid, in a fixed order: seeds outermost, so that early results can be compared. */
export function jobsOf({ seeds, runs, reference, budgets: chosen }: SweepConfig): SweepJob[] {
  const labels = Object.keys(runs);
  const budgets = chosen ?? (reference === undefined ? ['epochs'] : ['epochs', 'compute']);
  // The reference has its own compute as it is.
  const wanted = (label: string, budget: Budget) =>
    label === reference ? budget === 'epochs' : budgets.includes(budget);
  return seeds.flatMap((seed) =>
    (['epochs', 'compute'] as const).flatMap((budget) =>
      labels
        .filter((label) => wanted(label, budget))
        .map((label) => ({ label, seed, budget, folder: `${label}/${budget}/seed-${seed}` })),
    ),
  );
}

/** Every n-th job from the i-th on, "i/n", i from 1. */
export function shardOf(jobs: SweepJob[], [i, n]: [number, number]): SweepJob[] {
  return jobs.filter((_, at) => at % n === i - 1);
}
