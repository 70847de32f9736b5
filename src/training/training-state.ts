import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import {
  checked,
  checkVacant,
  corrupt,
  type LoadedCheckpoint,
  type LockedFolder,
  loadCheckpoint,
  saveCheckpoint,
} from '../checkpoints/index.js';
import { EatDmlError } from '../errors.js';
import { checkEmbedder, checkUnitNorm, type Embedder } from '../models/embedder.js';
import type { TrainedOn } from '../models/index.js';
import { derivedSeed, randomStream } from '../random.js';
import { AdamW } from './adamw.js';
import type { Member } from './method.js';
import { fingerprint, type Settings } from './options.js';
import { checkWarmUp, parameterGroups } from './parameter-groups.js';
import { trainedOn } from './trained-on.js';

/** A member with its optimiser. */
export interface Trainee extends Member {
  optimizer: AdamW;
}

const count = z.int().nonnegative();

/** Where a run stands; plain values, stored in checkpoints as they are. */
const position = z.object({
  step: count,
  imagesSeen: count,
  gradientEvaluations: z.number().nonnegative(),
  forwardPasses: z.number().nonnegative().default(0),
  seconds: z.number().nonnegative(),
  /** Mean losses of the completed epochs. */
  losses: z.array(z.number()),
  /** Sum of the mean losses of the steps of the epoch under way. */
  lossSum: z.number(),
  /** Which members had a gradient in the epoch under way. */
  moved: z.array(z.boolean()).default([]),
  /** Completed epochs in which some had none. */
  idle: z.array(z.object({ epoch: count, members: z.array(count) })).default([]),
});

export type Position = z.infer<typeof position>;

/** What a checkpoint's record holds besides tensors. */
const recorded = z.object({
  fingerprint: z.record(z.string(), z.unknown()),
  position,
  optimizerSteps: z.array(count),
  /** Steps of each member's groups of variables, where not all move from the first step. */
  groupSteps: z.array(z.array(count)).optional(),
});

type Recorded = z.infer<typeof recorded>;

/** Everything that a checkpoint must bring back. */
export interface TrainingState {
  trainees: Trainee[];
  position: Position;
  trainedOn: TrainedOn;
  /** What run.json shall hold: what the caller gives, else what the checkpoint says. */
  run: unknown;
}

/** A fresh state, or the one in the checkpoint when `resume` is set. */
export async function openState(settings: Settings, classes: number): Promise<TrainingState> {
  const { checkpoint, resume } = settings;
  if (checkpoint && resume) {
    return restoreState(settings, classes, await loadCheckpoint(checkpoint.dir, settings.model));
  }
  if (checkpoint) await checkVacant(checkpoint.dir, checkpoint.run !== undefined);
  return freshState(settings, classes);
}

async function freshState(settings: Settings, classes: number): Promise<TrainingState> {
  const { model, data, seed, method } = settings;
  const learnt = await trainedOn(data, settings);
  const trainees = Array.from({ length: method.members }, (_, i) => {
    const embedder = model.build(data.shape, derivedSeed(seed, 'member', i));
    checkEmbedder('model.build(shape, seed)', embedder);
    checkUnitNorm('model', embedder);
    checkWarmUp(settings, embedder);
    return trainee(settings, embedder, initialProxies(classes, embedder.embedding, seed, i));
  });
  const moved = trainees.map(() => false);
  const start = {
    step: 0,
    imagesSeen: 0,
    gradientEvaluations: 0,
    forwardPasses: 0,
    seconds: 0,
    losses: [],
    lossSum: 0,
    moved,
    idle: [],
  };
  return { trainees, position: start, trainedOn: learnt, run: settings.checkpoint?.run };
}

function trainee(settings: Settings, embedder: Embedder, proxies: tf.Variable): Trainee {
  return { embedder, proxies, optimizer: new AdamW(parameterGroups(settings, embedder, proxies)) };
}

/** Normal with variance 2 / classes, as Proxy-Anchor's authors draw them. */
function initialProxies(classes: number, cols: number, seed: number, member: number): tf.Variable {
  const random = randomStream(seed, 'proxies', member);
  const deviation = Math.sqrt(2 / classes);
  const values = Float32Array.from({ length: classes * cols }, () => deviation * random.normal());
  return tf.tidy(() => tf.variable(tf.tensor2d(values, [classes, cols])));
}

/** Saves the state into the folder of checkpoints. */
export async function saveState(folder: LockedFolder, settings: Settings, state: TrainingState): Promise<void> {
  const { trainees, position, trainedOn, run } = state;
  const tensors = trainees.flatMap(({ proxies, optimizer }, i) => [
    [`${i}/proxies`, proxies] as const,
    ...optimizer.moments().map((moment, j) => [`${i}/moment-${j}`, moment] as const),
  ]);
  const record: Recorded = {
    fingerprint: await fingerprint(settings),
    position,
    optimizerSteps: trainees.map(({ optimizer }) => optimizer.steps),
    ...(settings.warmUp && { groupSteps: trainees.map(({ optimizer }) => optimizer.groupSteps) }),
  };
  await saveCheckpoint(folder, position.step, {
    model: settings.model,
    members: trainees.map(({ embedder }) => embedder),
    tensors: Object.fromEntries(tensors),
    ...{ trainedOn, record, run },
  });
}

async function restoreState(settings: Settings, classes: number, loaded: LoadedCheckpoint): Promise<TrainingState> {
  const { members } = loaded;
  const { dir, run } = settings.checkpoint!;
  const trainees: Trainee[] = [];
  try {
    const { fingerprint: saved, position, optimizerSteps, groupSteps } = checked(dir, loaded.record, recorded);
    checkFingerprint(dir, saved, await fingerprint(settings));
    if (members.length !== settings.method.members || optimizerSteps.length !== members.length) {
      throw corrupt(dir, `it holds ${members.length} members and the steps of ${optimizerSteps.length}`);
    }
    for (const [i, embedder] of members.entries()) {
      trainees.push(restoreTrainee(settings, embedder, i, classes, loaded));
      trainees[i].optimizer.restoreSteps(optimizerSteps[i], groupSteps?.[i]);
    }
    const moved = members.map((_, i) => position.moved[i] ?? false);
    const learnt = await trainedOn(settings.data, settings);
    return { trainees, position: { ...position, moved }, trainedOn: learnt, run: run ?? loaded.run };
  } catch (error) {
    disposeState({ trainees });
    for (const member of members.slice(trainees.length)) member.dispose();
    throw error;
  }
}

function restoreTrainee(
  settings: Settings,
  embedder: Embedder,
  member: number,
  classes: number,
  { tensors }: LoadedCheckpoint,
): Trainee {
  const take = (name: string, shape: number[]) => {
    const saved = tensors.get(name);
    if (saved?.shape.join() === shape.join()) return tf.tensor(saved.values, saved.shape);
    throw corrupt(settings.checkpoint!.dir, `it holds no tensor ${name} of shape [${shape.join(', ')}]`);
  };
  const proxies = tf.tidy(() => tf.variable(take(`${member}/proxies`, [classes, embedder.embedding])));
  const restored = trainee(settings, embedder, proxies);
  try {
    tf.tidy(() => {
      for (const [j, moment] of restored.optimizer.moments().entries()) {
        moment.assign(take(`${member}/moment-${j}`, moment.shape));
      }
    });
    return restored;
  } catch (error) {
    proxies.dispose();
    restored.optimizer.dispose();
    throw error;
  }
}

/** Throws naming the first option that differs from the checkpoint's. */
function checkFingerprint(dir: string, saved: Record<string, unknown>, now: Record<string, unknown>): void {
  const before: Record<string, unknown> = { ...saved, model: underPresentNames(saved.model) };
  for (const key of new Set([...Object.keys(now), ...Object.keys(before)])) {
    const [then, given] = [before, now].map((from) => JSON.stringify(from[key]) ?? 'nothing');
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

/** A model as it is described today: `dimension` was called `embedding`. */
function underPresentNames(model: unknown): unknown {
  const entries = Object.entries((model ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, value]) => [key === 'embedding' ? 'dimension' : key, value]));
}

export function disposeState({ trainees }: Pick<TrainingState, 'trainees'>): void {
  for (const { embedder, proxies, optimizer } of trainees) {
    embedder.dispose();
    proxies.dispose();
    optimizer.dispose();
  }
}
