import { z } from 'zod';
import { type Source, sourceOf, sourceValue } from '../data/source.js';
import { invalid } from '../errors.js';
import type { ImageProgress } from '../long-work.js';
import { proxyAnchor } from '../losses/index.js';
import { lossValue } from '../losses/metric-loss.js';
import { modelSpec } from '../models/embedder.js';
import { anything, callback, count, parseOptions, seed, signal } from '../options.js';
import { nameOf, partNamed, partsOf } from '../part.js';
import { backendChoice } from '../tfjs/index.js';
import type { BatchPlan } from './batches.js';
import type { Clip } from './clip.js';
import { loopShape } from './loop-options.js';
import { methodValue } from './method.js';
import { standard } from './methods/standard.js';
import { modelFor } from './model-for.js';
import { type Distributed, distributed, filledDistributed } from './parallel/options.js';
import type { PlanProgress, TrainingPlan } from './plan.js';
import type { TrainingProgress } from './progress.js';
import * as recipes from './recipes/list.js';
import type { TrainedEpoch } from './run-epochs.js';
import { filledSchedule } from './schedule.js';
import { validation, validationOfRun } from './validation/options.js';

/** Those that are plain values, for a configuration too. */
export const trainingShape = {
  recipe: nameOf(partsOf(recipes))
    .optional()
    .describe('a named set of the options below; what is given beside it goes before it'),
  ...loopShape,
  validation: validation.optional().describe('scores on classes that are held out, and the best epoch by them'),
};

/** How many steps lie between two checkpoints. */
export const everySteps = count.optional().describe('steps between two checkpoints (default an epoch)');

const folder = z.string('a folder').min(1, 'a folder');

const trainOptions = z
  .strictObject({
    data: sourceValue.describe('what is learnt from; the classes are those of its labels'),
    model: modelSpec.describe('the network of each member'),
    loss: lossValue.default(() => proxyAnchor()).describe('what members learn by (default proxyAnchor())'),
    method: methodValue.default(() => standard()).describe('how they are trained (default standard())'),
    seed: seed.default(0).describe('all randomness derives from it'),
    ...trainingShape,
    validation: validationOfRun
      .optional()
      .describe('scores on held-out classes or other data, and the best epoch by them'),
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
    distributed: distributed
      .optional()
      .describe('several processes that train together, each of which calls train with the same options'),
    onProgress: callback<(progress: TrainingProgress) => void>().optional().describe('called after every step'),
    onPlan: callback<(plan: TrainingPlan) => void>()
      .optional()
      .describe(
        'called once, before the first step, with what the run will take: four steps on networks of their own, with a warm-up eight, are made for it',
      ),
    onHash: callback<(progress: ImageProgress) => void>()
      .optional()
      .describe('told how far the reading of all images for their hash is, where they are files; it comes first'),
    onPlanStep: callback<(progress: PlanProgress) => void>()
      .optional()
      .describe('called after each of the steps that are made for `onPlan`, which of large networks take long'),
    onEpoch: callback<(epoch: TrainedEpoch) => void | Promise<void>>()
      .optional()
      .describe(
        'called, and waited for, after every epoch; what it throws ends the run, whose checkpoint is saved before',
      ),
    signal: signal.optional().describe('ends the run after its step; a checkpoint is saved first'),
  })
  .check(({ value, issues }) => {
    if (!value.resume || value.checkpoint !== undefined) return;
    issues.push({ code: 'custom', path: ['checkpoint'], message: 'the folder to resume from', input: undefined });
  });

/** Options of {@link train}. */
export type TrainOptions = z.input<typeof trainOptions>;

/** Where a training saves itself, and how often. */
export interface CheckpointOptions {
  dir: string;
  everySteps?: number;
  /** Kept with the checkpoint, as JSON, and written to run.json beside it whenever it is saved. */
  run?: unknown;
}

type Filled = z.output<typeof trainOptions>;

/** Options with every default filled in; what changes nothing is absent. */
export type Settings = Omit<
  Filled,
  'data' | 'checkpoint' | 'proxyLearningRate' | 'batch' | 'recipe' | 'clip' | 'distributed'
> & {
  data: Source;
  distributed?: Distributed;
  proxyLearningRate: number;
  batch: BatchPlan;
  clip?: Clip;
  checkpoint?: CheckpointOptions;
};

export function settingsOf(options: TrainOptions): Settings {
  const given = withRecipe(options);
  const {
    data,
    checkpoint,
    proxyLearningRate,
    distributed,
    recipe: _,
    ...settings
  } = parseOptions(trainOptions, given);
  checkReached(settings);
  return {
    ...settings,
    ...withoutNothing(settings),
    ...(distributed && { distributed: filledDistributed(distributed, settings) }),
    data: sourceOf(data),
    model: modelFor(settings.model, settings.method, settings.recompute),
    // As given: a checkpoint compares its keys in their order.
    batch: given.batch ?? settings.batch,
    proxyLearningRate: proxyLearningRate ?? 100 * settings.learningRate,
    checkpoint: typeof checkpoint === 'string' ? { dir: checkpoint } : withPlainRun(checkpoint),
  };
}

/** The options with those of their recipe, where they name one; what they give themselves goes before. */
function withRecipe(options: TrainOptions): TrainOptions {
  if (options?.recipe === undefined) return options;
  const { recipe, data, model } = parseOptions(trainOptions, options);
  const loop = partNamed(partsOf(recipes), recipe!).make({}).loop({ data: data.name, model });
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...loop, ...given } as TrainOptions;
}

/** Throws where no epoch of the run would be validated. */
function checkReached({ validation, epochs }: Pick<Filled, 'validation' | 'epochs'>): void {
  if (!validation || validation.every <= epochs) return;
  throw invalid('validation.every', `at most the ${epochs} epochs of the run`, validation.every);
}

/** What is given but changes nothing becomes undefined: such a run is the same as one without. */
function withoutNothing({
  decay,
  schedule,
  warmUp,
  clip,
  epochs,
}: Pick<Filled, 'decay' | 'schedule' | 'warmUp' | 'clip' | 'epochs'>) {
  const flat = schedule?.name === 'constant' && !schedule.warmUp;
  return {
    decay: decay === 'all' ? undefined : decay,
    schedule: schedule && !flat ? filledSchedule(schedule, epochs) : undefined,
    warmUp: warmUp === 0 ? undefined : warmUp,
    clip: clip === 'none' ? undefined : clip,
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

/**
 * Everything that decides the numbers of a run but its length, as plain values; a resumed run must have the same. What is not
 * given has no key, so that checkpoints of before an option was there still fit.
 */
export async function fingerprint(settings: Settings): Promise<Record<string, unknown>> {
  const { data, model, loss, method, seed, batch, learningRate, proxyLearningRate, weightDecay } = settings;
  const { decay, schedule, warmUp, clip, microBatch, ema, validation, distributed, onHash } = settings;
  const further = Object.entries({
    decay,
    schedule,
    warmUp,
    clip,
    microBatch,
    ema,
    validation: await withHash(validation),
    // One is no cut at all.
    shards: distributed && distributed.shards > 1 ? distributed.shards : undefined,
  });
  return {
    data: await data.hash({ onProgress: onHash }),
    model: { kind: model.kind, ...model.config },
    loss: loss.config,
    method: method.config,
    ...{ seed, batch, learningRate, proxyLearningRate, weightDecay },
    ...Object.fromEntries(further.filter(([, value]) => value !== undefined)),
  };
}

/** A validation with the hash of its data; its patience decides the length of a run alone. */
async function withHash(validation: Settings['validation']): Promise<unknown> {
  if (!validation) return undefined;
  const { data, patience: _, ...plain } = validation;
  return { ...plain, ...(data && { data: await sourceOf(data).hash() }) };
}
