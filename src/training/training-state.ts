import * as tf from '@tensorflow/tfjs';
import { hasCheckpoint, type LoadedCheckpoint, loadCheckpoint, saveCheckpoint } from '../checkpoints/index.js';
import { EatDmlError } from '../errors.js';
import type { Embedder } from '../models/index.js';
import { derivedSeed, randomStream } from '../random.js';
import { AdamW } from './adamw.js';
import type { Member } from './method.js';
import { fingerprint, type Settings } from './options.js';

/** A member with its optimiser. */
export interface Trainee extends Member {
  optimizer: AdamW;
}

/** Where a run stands; plain numbers, stored in checkpoints as they are. */
export interface Position {
  step: number;
  imagesSeen: number;
  gradientEvaluations: number;
  seconds: number;
  /** Mean losses of the completed epochs. */
  losses: number[];
  /** Sum of the mean losses of the steps of the epoch under way. */
  lossSum: number;
}

/** Everything that a checkpoint must bring back. */
export interface TrainingState {
  trainees: Trainee[];
  position: Position;
}

/** What a checkpoint's record holds besides tensors. */
interface Recorded {
  fingerprint: Record<string, unknown>;
  position: Position;
  optimizerSteps: number[];
}

/** A fresh state, or the one in the checkpoint when `resume` is set. */
export async function openState(settings: Settings, classes: number): Promise<TrainingState> {
  const { checkpoint, resume } = settings;
  if (checkpoint && resume) return restoreState(settings, await loadCheckpoint(checkpoint.dir, settings.model));
  if (checkpoint && (await hasCheckpoint(checkpoint.dir))) {
    const message = `Expected no checkpoint in ${checkpoint.dir} for a new run but found one.`;
    throw new EatDmlError('ERR_CHECKPOINT', message, { hint: 'Resume it, remove it, or name another folder.' });
  }
  return freshState(settings, classes);
}

function freshState(settings: Settings, classes: number): TrainingState {
  const { model, data, seed, method } = settings;
  const trainees = Array.from({ length: method.members }, (_, i) => {
    const embedder = model.build(data.shape, derivedSeed(seed, 'member', i));
    return trainee(settings, embedder, initialProxies(classes, embedder.embedding, seed, i));
  });
  return { trainees, position: { step: 0, imagesSeen: 0, gradientEvaluations: 0, seconds: 0, losses: [], lossSum: 0 } };
}

function trainee(settings: Settings, embedder: Embedder, proxies: tf.Variable): Trainee {
  const { learningRate, proxyLearningRate, weightDecay } = settings;
  const optimizer = new AdamW([
    { variables: embedder.variables(), learningRate, weightDecay },
    { variables: [proxies], learningRate: proxyLearningRate, weightDecay },
  ]);
  return { embedder, proxies, optimizer };
}

/** Normal with variance 2 / classes, as Proxy-Anchor's authors draw them. */
function initialProxies(classes: number, cols: number, seed: number, member: number): tf.Variable {
  const random = randomStream(seed, 'proxies', member);
  const deviation = Math.sqrt(2 / classes);
  const values = Float32Array.from({ length: classes * cols }, () => deviation * random.normal());
  return tf.tidy(() => tf.variable(tf.tensor2d(values, [classes, cols])));
}

/** Saves the state into the checkpoint folder of the settings. */
export async function saveState(settings: Settings, { trainees, position }: TrainingState): Promise<void> {
  const tensors = trainees.flatMap(({ proxies, optimizer }, i) => [
    [`${i}/proxies`, proxies] as const,
    ...optimizer.moments().map((moment, j) => [`${i}/moment-${j}`, moment] as const),
  ]);
  const record: Recorded = {
    fingerprint: fingerprint(settings),
    position,
    optimizerSteps: trainees.map(({ optimizer }) => optimizer.steps),
  };
  await saveCheckpoint(settings.checkpoint!.dir, position.step, {
    model: settings.model,
    members: trainees.map(({ embedder }) => embedder),
    tensors: Object.fromEntries(tensors),
    record,
  });
}

function restoreState(settings: Settings, { members, tensors, record }: LoadedCheckpoint): TrainingState {
  const { dir } = settings.checkpoint!;
  try {
    const recorded = record as Recorded;
    checkFingerprint(dir, recorded.fingerprint, fingerprint(settings));
    const take = (name: string) => {
      const { values, shape } = tensors.get(name)!;
      return tf.tensor(values, shape);
    };
    const trainees = members.map((embedder, i) => {
      const proxies = tf.tidy(() => tf.variable(take(`${i}/proxies`)));
      const restored = trainee(settings, embedder, proxies);
      restored.optimizer.steps = recorded.optimizerSteps[i];
      tf.tidy(() => restored.optimizer.moments().map((moment, j) => moment.assign(take(`${i}/moment-${j}`))));
      return restored;
    });
    return { trainees, position: { ...recorded.position, losses: [...recorded.position.losses] } };
  } catch (error) {
    for (const member of members) member.dispose();
    throw error;
  }
}

/** Throws naming the first option that differs from the checkpoint's. */
function checkFingerprint(dir: string, saved: Record<string, unknown>, now: Record<string, unknown>): void {
  for (const key of Object.keys(now)) {
    const [then, given] = [JSON.stringify(saved[key]), JSON.stringify(now[key])];
    if (then === given) continue;
    throw new EatDmlError(
      'ERR_CHECKPOINT',
      `Expected ${key} ${then}, as in the checkpoint ${dir}, but received ${given}.`,
      {
        hint: 'Resume with the options that the run was started with; only epochs may differ.',
      },
    );
  }
}

export function disposeState({ trainees }: TrainingState): void {
  for (const { embedder, proxies, optimizer } of trainees) {
    embedder.dispose();
    proxies.dispose();
    optimizer.dispose();
  }
}
