import { z } from 'zod';
import type { Source } from '../data/index.js';
import { brokenText, type LookedOver, type OpenWork } from '../data/look-over.js';
import { type EvaluationProgress, type EvaluationReport, evaluate } from '../evaluation/index.js';
import type { ImageProgress } from '../long-work.js';
import { callback, parse, parseOptions, signal } from '../options.js';
import { chooseBackend } from '../tfjs/index.js';
import {
  type TrainedEnsemble,
  type TrainingPlan,
  type TrainingProgress,
  type TrainOptions,
  train,
} from '../training/index.js';
import { dataOf, evaluateOptionsOf, loadModel, type RunData, trainOptionsOf } from './make.js';
import { requireDevice } from './require-device.js';
import { type Config, configSchema } from './schema.js';

const runOptions = z.strictObject({
  out: z.string('a folder').min(1, 'a folder').optional().describe('run folder, for checkpoints and run.json'),
  resume: z.boolean().default(false).describe('go on from the checkpoint in it'),
  onProgress: callback<(progress: ImageProgress | TrainingProgress | EvaluationProgress) => void>().optional(),
  signal: signal.optional(),
});

/** Options of {@link runConfig}. */
export type RunOptions = z.input<typeof runOptions>;

/** What a configuration gave. */
export interface ConfigRun {
  /** The caller disposes it. */
  ensemble: TrainedEnsemble;
  report: EvaluationReport;
}

/**
 * Trains and evaluates what a configuration says (docs/cli.md, dist/config.schema.json), on the two sides of its data.
 *
 * @throws EatDmlError ERR_ARGUMENT that names the first key which does not fit; ERR_DEVICE where `device` is not the first
 * that is here; those of `train` and `evaluate`.
 *
 * @example
 * ```ts
 * import { runConfig } from 'eat-dml';
 *
 * const { report } = await runConfig({
 *   data: { name: 'folder', root: 'photos', transform: { resize: 36, crop: 32 } },
 *   model: { kind: 'conv', width: 8 },
 *   method: { name: 'at', attack: { epsilon: 8 / 255, steps: 3 } },
 *   training: { epochs: 2 },
 *   evaluation: { suite: 'quick', count: 12 },
 * });
 * console.log(report.worst.scores.nmi);
 * ```
 */
export async function runConfig(config: Config, options: RunOptions = {}): Promise<ConfigRun> {
  const { out, resume, onProgress, signal } = parseOptions(runOptions, options);
  parse(configSchema, config, 'config');
  const asked = evaluateOptionsOf(config);
  await loadModel(config);
  const { data, ensemble } = await trainConfig(config, { out, resume, onLooked: warnOf, onProgress, signal });
  try {
    const { test, gallery } = data;
    const report = await evaluate(ensemble, test, { ...asked, gallery, onProgress, signal });
    return { ensemble, report };
  } catch (error) {
    ensemble.dispose();
    throw error;
  }
}

/** Says in process warnings what a look at the files found. */
export function warnOf(looked: LookedOver): void {
  const text = brokenText(looked);
  if (text !== undefined) process.emitWarning(`eat-dml: ${text}`);
}

/** What the networks run on, and why there. */
export type ChosenBackend = Awaited<ReturnType<typeof chooseBackend>>;

/** What runs on what, told before it begins. */
export interface Start {
  data: Source;
  backend: ChosenBackend;
}

export interface TrainConfigOptions {
  out?: string;
  resume?: boolean;
  signal?: AbortSignal;
  /** The ranks that train together. */
  distributed?: TrainOptions['distributed'];
  /** Waited for. */
  onStart?(start: Start): void | Promise<void>;
  onPlan?(plan: TrainingPlan): void;
  onPlanStep?: TrainOptions['onPlanStep'];
  /** Told of images that only an evaluation will read, where the run begins. */
  onLooked?: OpenWork['onLooked'];
  onProgress?(progress: ImageProgress | TrainingProgress): void;
}

/** Trains what a checked configuration says; also its data and the backend. */
export async function trainConfig(
  config: Config,
  { out, resume, signal, distributed, onStart, onPlan, onPlanStep, onLooked, onProgress }: TrainConfigOptions,
): Promise<{ data: RunData; backend: ChosenBackend; ensemble: TrainedEnsemble }> {
  requireDevice(config.device);
  const options = trainOptionsOf(config);
  const data = await dataOf(config, { signal, onProgress, ...(!resume && { onLooked }) });
  const backend = await chooseBackend({ backend: config.backend ?? 'auto' });
  await onStart?.({ data: data.train, backend });
  const everySteps = config.training?.checkpointEverySteps;
  const checkpoint = out === undefined ? undefined : { dir: out, everySteps, run: config };
  const run = { checkpoint, resume, distributed, onPlan, onPlanStep, onHash: onProgress, onProgress, signal };
  const ensemble = await train({ ...options, data: data.train, ...run });
  return { data, backend, ensemble };
}
