import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasCheckpoint } from '../../checkpoints/index.js';
import { dataOf, evaluateOptionsOf, trainOptionsOf } from '../../config/make.js';
import { type Config, parseConfig, readChecked } from '../../config/schema.js';
import { costOf } from '../../config/sweep-cost.js';
import { jobsOf, type SweepConfig, type SweepJob, shardOf, sweepSchema } from '../../config/sweep-schema.js';
import type { Dataset, Split } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
import { evaluate } from '../../evaluation/index.js';
import { scoreText } from '../../report/score-text.js';
import { train } from '../../training/index.js';
import { checkTargets, writeOrPrint } from '../deliver.js';
import { interruptible } from '../interrupt.js';
import { printResult } from '../options.js';
import { duration, ProgressLine } from '../progress-line.js';

export interface SweepFlags {
  json?: boolean;
  shard?: [number, number];
}

/** Of one finished job, beside its checkpoint. */
const RESULT = 'result.json';

/** `eat-dml sweep FILE`: trains and evaluates every run of a grid that has no result yet; go on by calling it again. */
export async function sweepCommand(file: string, { json, shard = [1, 1] }: SweepFlags): Promise<void> {
  const sweep = await readChecked(file, sweepSchema);
  if (sweep.reference !== undefined && !Object.hasOwn(sweep.runs, sweep.reference)) {
    throw new EatDmlError('ERR_CONFIG', `Expected reference to be one of the runs but received "${sweep.reference}".`);
  }
  // What a run says and what the base says may not fit each other: told before any run is trained.
  for (const label of Object.keys(sweep.runs)) parseConfig(configOf(sweep, label, sweep.seeds[0]), `${file}: ${label}`);
  const jobs = shardOf(jobsOf(sweep), shard);
  let [made, found] = [0, 0];
  await interruptible(async (signal) => {
    for (const [at, job] of jobs.entries()) {
      if (existsSync(join(sweep.out, job.folder, RESULT))) {
        found++;
        continue;
      }
      await runJob(sweep, job, `[${at + 1}/${jobs.length}] ${job.folder}`, signal);
      made++;
    }
  }).catch((error) => {
    throw withResumeHint(error, file);
  });
  const result = { command: 'sweep', out: sweep.out, jobs: jobs.length, made, found };
  printResult(
    json,
    result,
    `${made} runs made, ${found} were there, in ${sweep.out}\nNext: eat-dml table ${sweep.out}`,
  );
}

async function runJob(sweep: SweepConfig, job: SweepJob, title: string, signal: AbortSignal): Promise<void> {
  const data = await dataOf(configOf(sweep, job.label, job.seed));
  const config = await budgeted(sweep, job, data.train);
  const dir = join(sweep.out, job.folder);
  const resume = await hasCheckpoint(dir);
  await checkTargets(join(dir, RESULT));
  const training = new ProgressLine(`${title} train`);
  const options = { ...trainOptionsOf(config), data: data.train, checkpoint: { dir, run: config }, resume, signal };
  const ensemble = await train({ ...options, onProgress: training.show });
  training.end(`${ensemble.history.steps} steps in ${duration(ensemble.history.seconds)}`);
  try {
    const result = {
      ...job,
      ...(job.budget === 'compute' && { reference: sweep.reference }),
      config,
      history: ensemble.history,
      report: await evaluateOne(config, data, ensemble, title, signal),
    };
    await writeOrPrint(join(dir, RESULT), result);
  } finally {
    ensemble.dispose();
  }
}

async function evaluateOne(
  config: Config,
  data: Split,
  ensemble: Parameters<typeof evaluate>[0],
  title: string,
  signal: AbortSignal,
) {
  const line = new ProgressLine(`${title} evaluate`);
  const report = await evaluate(ensemble, data.test, { ...evaluateOptionsOf(config), onProgress: line.show, signal });
  const { nmi, recallAt1 } = report.worst.scores;
  line.end(`worst NMI ${scoreText(nmi)}, Recall@1 ${scoreText(recallAt1)} in ${duration(report.seconds)}`);
  return report;
}

/** The base with what the run says on top, each of its parts (data, training, ...) merged one level deep. */
export function configOf({ base, runs }: SweepConfig, label: string, seed: number): Config {
  const run = runs[label];
  const merged: Record<string, unknown> = { ...base, seed };
  for (const [key, value] of Object.entries(run)) {
    const below = merged[key];
    // A method or a loss is one choice: its parts don't mix with another's.
    const whole = key === 'method' || key === 'loss' || key === 'data' || typeof below !== 'object';
    merged[key] = whole ? value : { ...below, ...(value as object) };
  }
  return merged as Config;
}

/** The job's configuration, with the epochs that its budget buys. */
async function budgeted(sweep: SweepConfig, { label, seed, budget }: SweepJob, data: Dataset): Promise<Config> {
  const config = configOf(sweep, label, seed);
  if (budget === 'epochs') return config;
  const reference = configOf(sweep, sweep.reference!, seed);
  const [own, theirs] = [await costOf(config, data), await costOf(reference, data)];
  const epochs = Math.max(1, Math.round(((reference.training?.epochs ?? 10) * theirs) / own));
  return { ...config, training: { ...config.training, epochs } };
}

function withResumeHint(error: unknown, file: string): unknown {
  if (!(error instanceof EatDmlError) || error.code !== 'ERR_ABORTED') return error;
  const hint = `What was made is kept. Go on with: eat-dml sweep ${file}`;
  return new EatDmlError(error.code, 'The sweep was interrupted.', { hint, cause: error });
}
