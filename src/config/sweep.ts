import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCheckpoint } from '../checkpoints/index.js';
import type { Source } from '../data/index.js';
import type { OpenWork } from '../data/look-over.js';
import { EatDmlError } from '../errors.js';
import { type EvaluationProgress, type EvaluationReport, evaluate } from '../evaluation/index.js';
import type { ImageProgress } from '../long-work.js';
import { callback, count, parse, parseOptions, signal } from '../options.js';
import { type TrainedEnsemble, type TrainingHistory, type TrainingProgress, train } from '../training/index.js';
import { checkWritable, writeAtomically } from '../write-atomically.js';
import { dataOf, evaluateOptionsOf, loadModel, type RunData, trainOptionsOf } from './make.js';
import { checked, parseConfig } from './read.js';
import { warnOf } from './run.js';
import { type Config, configSchema } from './schema.js';
import { costOf, epochsOf } from './sweep-cost.js';
import { jobsOf, type SweepConfig, type SweepJob, shardOf, sweepSchema } from './sweep-schema.js';

/** Of one finished job, beside its checkpoint. */
const RESULT = 'result.json';

/** What is told of one job. */
export interface JobHooks {
  onProgress?(progress: ImageProgress | TrainingProgress | EvaluationProgress): void;
  onTrained?(history: TrainingHistory): void;
  onEvaluated?(report: EvaluationReport): void;
}

const sweepOptions = z.strictObject({
  shard: z
    .tuple([count, count], 'a shard such as [2, 4]')
    .refine(([i, n]) => i <= n, 'a shard such as [2, 4]')
    .default([1, 1])
    .describe('every n-th job, from the i-th on: [i, n]'),
  onJob: callback<(job: SweepJob, at: number, of: number) => JobHooks | undefined>()
    .optional()
    .describe('before each job that has no result yet; what it returns is told of the job'),
  save: callback<(path: string, result: unknown) => Promise<void>>().optional().describe('instead of writing a result'),
  signal: signal.optional(),
});

/** Options of {@link sweepConfig}. */
export type SweepOptions = z.input<typeof sweepOptions>;

/** How many jobs there were, how many of them were made now, and how many had a result. */
export interface SweepOutcome {
  jobs: number;
  made: number;
  found: number;
}

/**
 * Trains and evaluates every run of a grid that has no result yet (docs/cli.md); call it again to go on.
 *
 * @throws EatDmlError ERR_ARGUMENT that names the first key which does not fit; those of `train` and `evaluate`.
 *
 * @example
 * ```ts
 * import { sweepConfig } from 'eat-dml';
 *
 * const attack = { epsilon: 8 / 255, steps: 2 };
 * const data = { name: 'folder', root: 'photos', transform: { resize: 36, crop: 32 } } as const;
 * await sweepConfig({
 *   out: 'runs/grid',
 *   seeds: [1],
 *   base: { data, model: { kind: 'conv', width: 4 }, training: { epochs: 1 }, evaluation: { suite: 'quick', count: 12 } },
 *   runs: { plain: { method: { name: 'standard' } }, at: { method: { name: 'at', attack } } },
 * });
 * ```
 */
export async function sweepConfig(sweep: SweepConfig, options: SweepOptions = {}): Promise<SweepOutcome> {
  const { shard, onJob, save = write, signal } = parseOptions(sweepOptions, options);
  parse(sweepSchema, sweep, 'sweep');
  checkRuns(sweep, (config, label) => parse(configSchema, config, `sweep.runs.${label}`));
  const jobs = shardOf(jobsOf(sweep), shard);
  let [made, found] = [0, 0];
  for (const [at, job] of jobs.entries()) {
    if (existsSync(join(sweep.out, job.folder, RESULT))) {
      found++;
      continue;
    }
    // A file that ends its evaluation ends the sweep.
    const onLooked = made === 0 ? warnOf : undefined;
    await runJob(sweep, job, { ...onJob?.(job, at + 1, jobs.length), save, signal, onLooked });
    made++;
  }
  return { jobs: jobs.length, made, found };
}

/** Throws for a file of a sweep that is none: ERR_CONFIG that shows every error with its path. */
export function checkSweep(value: unknown, source: string): void {
  checkRuns(checked(value, sweepSchema, source), (config, label) => parseConfig(config, `${source}: ${label}`));
}

/** What a run says and what the base says may not fit each other: told before any run is trained. */
function checkRuns(sweep: SweepConfig, check: (config: Config, label: string) => unknown): void {
  if (sweep.reference !== undefined && !Object.hasOwn(sweep.runs, sweep.reference)) {
    throw new EatDmlError('ERR_CONFIG', `Expected reference to be one of the runs but received "${sweep.reference}".`);
  }
  if (sweep.reference === undefined && sweep.budgets?.includes('compute')) {
    throw new EatDmlError(
      'ERR_CONFIG',
      'Expected a reference, whose compute the budget compute is, but received none.',
    );
  }
  for (const label of Object.keys(sweep.runs)) {
    const config = configOf(sweep, label, sweep.seeds[0]);
    check(config, label);
    checkEvaluation(config, label);
  }
}

function checkEvaluation(config: Config, label: string): void {
  try {
    evaluateOptionsOf(config);
  } catch (error) {
    if (!(error instanceof EatDmlError)) throw error;
    throw new EatDmlError('ERR_CONFIG', `runs.${label}: ${error.message}`, { hint: error.hint });
  }
}

interface JobRun extends JobHooks {
  save(path: string, result: unknown): Promise<void>;
  signal?: AbortSignal;
  onLooked?: OpenWork['onLooked'];
}

async function runJob(sweep: SweepConfig, job: SweepJob, run: JobRun): Promise<void> {
  const configured = configOf(sweep, job.label, job.seed);
  await loadModel(configured);
  const { signal, onProgress, onLooked } = run;
  const data = await dataOf(configured, { signal, onProgress, onLooked });
  const config = await budgeted(sweep, job, data.train);
  const dir = join(sweep.out, job.folder);
  const resume = await hasCheckpoint(dir);
  await checkWritable(join(dir, RESULT));
  const options = { ...trainOptionsOf(config), data: data.train, checkpoint: { dir, run: config }, resume, signal };
  const ensemble = await train({ ...options, onHash: onProgress, onProgress });
  try {
    run.onTrained?.(ensemble.history);
    const result = {
      ...job,
      ...(job.budget === 'compute' && { reference: sweep.reference }),
      config,
      history: ensemble.history,
      report: await evaluateJob(config, data, ensemble, run),
    };
    await run.save(join(dir, RESULT), result);
  } finally {
    ensemble.dispose();
  }
}

async function evaluateJob(config: Config, { test, gallery }: RunData, ensemble: TrainedEnsemble, run: JobRun) {
  const { onProgress, signal } = run;
  const report = await evaluate(ensemble, test, { ...evaluateOptionsOf(config), gallery, onProgress, signal });
  run.onEvaluated?.(report);
  return report;
}

function write(path: string, result: unknown): Promise<void> {
  return writeAtomically(path, Buffer.from(`${JSON.stringify(result)}\n`));
}

/** What is one choice: its options don't mix with another's. */
const CHOICES = ['data', 'loss', 'method'];

/** The base with what the run says on top: training and evaluation key by key, and a model of the same kind; choices whole. */
export function configOf({ base, runs }: SweepConfig, label: string, seed: number): Config {
  const run = runs[label];
  const merged: Record<string, unknown> = { ...base, seed };
  for (const [key, value] of Object.entries(run)) {
    const below = merged[key];
    const { kind } = (below ?? {}) as { kind?: string };
    const otherModel = key === 'model' && kind !== (value as { kind?: string }).kind;
    const whole = CHOICES.includes(key) || otherModel || typeof below !== 'object';
    merged[key] = whole ? value : { ...below, ...(value as object) };
  }
  return merged as Config;
}

/** The job's configuration, with the epochs that its budget buys. */
async function budgeted(sweep: SweepConfig, { label, seed, budget }: SweepJob, data: Source): Promise<Config> {
  const config = configOf(sweep, label, seed);
  if (budget === 'epochs') return config;
  const reference = configOf(sweep, sweep.reference!, seed);
  const [own, theirs] = [await costOf(config, data), await costOf(reference, data)];
  const epochs = Math.max(1, Math.round((epochsOf(reference, data) * theirs) / own));
  return { ...config, training: { ...config.training, epochs } };
}
