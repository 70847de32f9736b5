import { type Dataset, datasetHash } from '../data/index.js';
import { invalid } from '../errors.js';
import { type MetricLoss, proxyAnchor } from '../losses/index.js';
import type { BackendName, ModelSpec } from '../models/index.js';
import { type BatchPlan, checkBatchPlan } from './batches.js';
import type { Method } from './method.js';
import { standard } from './methods/standard.js';
import type { TrainingProgress } from './progress.js';

export interface TrainOptions {
  data: Dataset;
  model: ModelSpec;
  /** Default Proxy-Anchor. */
  loss?: MetricLoss;
  /** Default `standard()`. */
  method?: Method;
  /** All randomness derives from it (default 0). */
  seed?: number;
  /** Passes over the data (default 10). */
  epochs?: number;
  /** Default {size: 128}. */
  batch?: BatchPlan;
  /** Of the networks (default 0.001). */
  learningRate?: number;
  /** Of the proxies (default 100 times that of the networks). */
  proxyLearningRate?: number;
  /** Decoupled, of networks and proxies (default 0.0001). */
  weightDecay?: number;
  /** The tfjs backend (default `auto`). */
  backend?: BackendName | 'auto';
  /**
   * Folder to save to after every epoch, or how often; also saved when the signal aborts. It is locked meanwhile: another
   * training into it ends with ERR_CHECKPOINT.
   */
  checkpoint?: string | CheckpointOptions;
  /** Go on from the checkpoint; the other options must be those it was made with, `epochs` may grow. */
  resume?: boolean;
  onProgress?: (progress: TrainingProgress) => void;
  signal?: AbortSignal;
}

export interface CheckpointOptions {
  dir: string;
  everySteps?: number;
  /** Kept with the checkpoint, as JSON, and written to run.json beside it whenever it is saved. */
  run?: unknown;
}

/** Options with every default filled in. */
export type Settings = Required<Omit<TrainOptions, 'checkpoint' | 'onProgress' | 'signal'>> & {
  checkpoint?: CheckpointOptions;
  onProgress?: TrainOptions['onProgress'];
  signal?: AbortSignal;
};

export function settingsOf(options: TrainOptions): Settings {
  const { learningRate = 1e-3, checkpoint, resume = false } = options;
  const settings: Settings = {
    loss: proxyAnchor(),
    method: standard(),
    seed: 0,
    epochs: 10,
    batch: { size: 128 },
    weightDecay: 1e-4,
    backend: 'auto',
    ...defined(options),
    learningRate,
    proxyLearningRate: options.proxyLearningRate ?? 100 * learningRate,
    checkpoint: typeof checkpoint === 'string' ? { dir: checkpoint } : withPlainRun(checkpoint),
    resume,
  };
  checkSettings(settings);
  return settings;
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
export function fingerprint(settings: Settings): Record<string, unknown> {
  const { data, model, loss, method, seed, batch, learningRate, proxyLearningRate, weightDecay } = settings;
  return {
    data: datasetHash(data),
    model: { kind: model.kind, ...model.config },
    loss: loss.config,
    method: method.config,
    ...{ seed, batch, learningRate, proxyLearningRate, weightDecay },
  };
}

function defined(options: TrainOptions): TrainOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as typeof options;
}

function checkSettings(settings: Settings): void {
  const { data, model, loss, method, seed, epochs, batch, checkpoint, resume } = settings;
  if (!data || !(data.images instanceof Uint8Array)) throw invalid('data', 'a dataset', data);
  if (typeof model?.build !== 'function') throw invalid('model', 'a model specification like convEmbedder()', model);
  if (typeof loss !== 'function') throw invalid('loss', 'a loss like proxyAnchor()', loss);
  if (typeof method?.craft !== 'function') throw invalid('method', 'a method like eat({...})', method);
  if (!Number.isSafeInteger(seed)) throw invalid('seed', 'an integer', seed);
  checkCount('epochs', epochs);
  checkBatchPlan(batch);
  for (const name of ['learningRate', 'proxyLearningRate', 'weightDecay'] as const) {
    const value = settings[name];
    if (!(value >= 0 && value < Infinity)) throw invalid(name, 'a finite number >= 0', value);
  }
  if (checkpoint && typeof checkpoint.dir !== 'string') throw invalid('checkpoint.dir', 'a folder', checkpoint.dir);
  if (checkpoint?.everySteps !== undefined) checkCount('checkpoint.everySteps', checkpoint.everySteps);
  if (resume && !checkpoint) throw invalid('checkpoint', 'the folder to resume from', checkpoint);
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw invalid(name, 'a positive integer', value);
}
