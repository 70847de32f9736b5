/** What a configuration may hold, and what it gives: JSON in, reports out, without the command line. */
export { type ConfigRun, type RunOptions, runConfig } from './run.js';
export { type Config, configJsonSchema } from './schema.js';
export { type JobHooks, type SweepOptions, type SweepOutcome, sweepConfig } from './sweep.js';
export type { SweepConfig, SweepJob } from './sweep-schema.js';
