import { z } from 'zod';
import { type Source, sourceOf, sourceValue } from '../data/source.js';
import { invalid } from '../errors.js';
import { proxyAnchor } from '../losses/index.js';
import { lossValue } from '../losses/metric-loss.js';
import { modelSpec } from '../models/embedder.js';
import { anything, callback, count, nonNegative, parseOptions, seed, signal } from '../options.js';
import { backendChoice } from '../tfjs/index.js';
import { type BatchPlan, batchPlan } from './batches.js';
import { methodValue } from './method.js';
import { standard } from './methods/standard.js';
import type { TrainingProgress } from './progress.js';

/** Those that are plain values, for a configuration too. */
export const trainingShape = {
  epochs: count.default(10).describe('passes over the data'),
  batch: batchPlan.default({ size: 128 }).describe('classes x images of each, or size images whatever their class'),
  learningRate: nonNegative.default(1e-3).describe('of the networks'),
  proxyLearningRate: nonNegative.optional().describe('of the proxies (default 100 times that of the networks)'),
  weightDecay: nonNegative.default(1e-4).describe('decoupled, of networks and proxies'),
};

/** How many steps lie between two checkpoints. */
export const everySteps = count.optional().describe('steps between two checkpoints (default an epoch)');

const folder = z.string('a folder').min(1, 'a folder');

const trainOptions = z
  .strictObject({
    data: sourceValue,
    model: modelSpec,
    loss: lossValue.default(() => proxyAnchor()),
    method: methodValue.default(() => standard()),
    seed: seed.default(0).describe('all randomness derives from it'),
    ...trainingShape,
    backend: backendChoice.default('auto').describe('the tfjs backend'),
    checkpoint: z
      .union(
        [folder, z.strictObject({ dir: folder, everySteps, run: anything })],
        'a folder, or {dir, everySteps, run}',
      )
      .optional()
      .describe(
        'folder to save to after every epoch, or how often; also saved when the signal aborts; locked meanwhile',
      ),
    resume: z
      .boolean()
      .default(false)
      .describe('go on from the checkpoint; the other options must be those it was made with, epochs may grow'),
    onProgress: callback<(progress: TrainingProgress) => void>().optional(),
    signal: signal.optional(),
  })
  .check(({ value, issues }) => {
    if (!value.resume || value.checkpoint !== undefined) return;
    issues.push({ code: 'custom', path: ['checkpoint'], message: 'the folder to resume from', input: undefined });
  });

export type TrainOptions = z.input<typeof trainOptions>;

export interface CheckpointOptions {
  dir: string;
  everySteps?: number;
  /** Kept with the checkpoint, as JSON, and written to run.json beside it whenever it is saved. */
  run?: unknown;
}

/** Options with every default filled in. */
export type Settings = Omit<z.output<typeof trainOptions>, 'data' | 'checkpoint' | 'proxyLearningRate' | 'batch'> & {
  data: Source;
  proxyLearningRate: number;
  batch: BatchPlan;
  checkpoint?: CheckpointOptions;
};

export function settingsOf(options: TrainOptions): Settings {
  const { data, checkpoint, proxyLearningRate, ...settings } = parseOptions(trainOptions, options);
  return {
    ...settings,
    data: sourceOf(data),
    // As given: a checkpoint compares its keys in their order.
    batch: options.batch ?? settings.batch,
    proxyLearningRate: proxyLearningRate ?? 100 * settings.learningRate,
    checkpoint: typeof checkpoint === 'string' ? { dir: checkpoint } : withPlainRun(checkpoint),
  };
}

/** `run` as the file will hold it: what is no JSON is an error now, and what the caller changes later is not saved. */
function withPlainRun(checkpoint: CheckpointOptions | undefined): CheckpointOptions | undefined {
  if (checkpoint?.run === undefined) return checkpoint;
  try {
    return { ...checkpoint, run: JSON.parse(JSON.stringify(checkpoint.run)) };
  } catch {
    throw invalid('checkpoint.run', 'a value that can be written as JSON', checkpoint.run);
  }
}

/** Everything that decides the numbers of a run but its length, as plain values; a resumed run must have the same. */
export async function fingerprint(settings: Settings): Promise<Record<string, unknown>> {
  const { data, model, loss, method, seed, batch, learningRate, proxyLearningRate, weightDecay } = settings;
  return {
    data: await data.hash(),
    model: { kind: model.kind, ...model.config },
    loss: loss.config,
    method: method.config,
    ...{ seed, batch, learningRate, proxyLearningRate, weightDecay },
  };
}
