import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '#tf';
import { BEST, checkVacant, type LockedFolder, loadCheckpoint, saveCheckpoint } from '../../checkpoints/index.js';
import { checkEmbedder, checkUnitNorm } from '../../models/embedder.js';
import { derivedSeed, randomStream } from '../../random.js';
import { averageOf } from '../ema.js';
import { fingerprint, type Settings } from '../options.js';
import { checkWarmUp } from '../parameter-groups.js';
import { trainedOn } from '../trained-on.js';
import { chosenOn } from '../validation/held-out.js';
import type { Position, Recorded } from './record.js';
import { restoreState, type TrainingState } from './restore-state.js';
import { disposeTrainees, shown, type Trainee, trainee } from './trainee.js';

/** A fresh state, or the one in the checkpoint when `resume` is set. */
export async function openState(settings: Settings, classes: number): Promise<TrainingState> {
  const { checkpoint, resume } = settings;
  if (checkpoint && resume) {
    return restoreState(settings, classes, await loadCheckpoint(checkpoint.dir, settings.model));
  }
  if (checkpoint) {
    const writesRun = checkpoint.run !== undefined;
    await checkVacant(checkpoint.dir, writesRun);
    const best = join(checkpoint.dir, BEST);
    if (settings.validation && existsSync(best)) await checkVacant(best, writesRun);
  }
  return freshState(settings, classes);
}

async function freshState(settings: Settings, classes: number): Promise<TrainingState> {
  // Networks first: weights that do not fit are told before all data are read for their hash.
  const trainees = freshTrainees(settings, classes);
  const learnt = await trainedOn(settings.data, settings, chosenOn(settings)).catch((error) => {
    disposeTrainees(trainees);
    throw error;
  });
  return { trainees, position: startOf(trainees.length), trainedOn: learnt, run: settings.checkpoint?.run };
}

/** Where a run of so many members begins. */
export function startOf(members: number): Position {
  const none = { imagesSeen: 0, gradientEvaluations: 0, forwardPasses: 0, seconds: 0 };
  const moved = Array.from({ length: members }, () => false);
  return { step: 0, ...none, losses: [], learningRates: [], lossSum: 0, moved, idle: [], memory: [] };
}

/** The members as they begin. */
export function freshTrainees(settings: Settings, classes: number): Trainee[] {
  const { method } = settings;
  const trainees: Trainee[] = [];
  try {
    for (let i = 0; i < method.members; i++) trainees.push(freshTrainee(settings, classes, i));
    return trainees;
  } catch (error) {
    disposeTrainees(trainees);
    throw error;
  }
}

function freshTrainee(settings: Settings, classes: number, i: number): Trainee {
  const { model, data, seed, ema } = settings;
  const embedder = model.build(data.shape, derivedSeed(seed, 'member', i));
  checkEmbedder('model.build(shape, seed)', embedder);
  const ours: { dispose(): void }[] = [embedder];
  try {
    checkUnitNorm('model', embedder);
    checkWarmUp(settings, embedder);
    const proxies = initialProxies(classes, embedder.embedding, seed, i);
    ours.push(proxies);
    const average = ema === undefined ? undefined : averageOf(model, { embedder, proxies });
    if (average) ours.push(average.embedder, average.proxies);
    return trainee(settings, { embedder, proxies }, average);
  } catch (error) {
    for (const made of ours) made.dispose();
    throw error;
  }
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
  const tensors = trainees.flatMap((trainee, i) => [
    [`${i}/proxies`, shown(trainee).proxies] as const,
    ...trainee.optimizer.moments().map((moment, j) => [`${i}/moment-${j}`, moment] as const),
    ...(trainee.average ? besideAverage(trainee, i) : []),
  ]);
  const record: Recorded = {
    fingerprint: await fingerprint(settings),
    position,
    optimizerSteps: trainees.map(({ optimizer }) => optimizer.steps),
    ...(settings.warmUp && { groupSteps: trainees.map(({ optimizer }) => optimizer.groupSteps) }),
  };
  await saveCheckpoint(folder, position.step, {
    model: settings.model,
    members: trainees.map((trainee) => shown(trainee).embedder),
    tensors: Object.fromEntries(tensors),
    ...{ trainedOn, record, run },
  });
}

/** What the optimiser moves, where the checkpoint's member is its moving average. */
function besideAverage({ embedder, proxies }: Trainee, member: number) {
  const weights = [...embedder.weights].map(([name, weight]) => [`${member}/moving/${name}`, weight] as const);
  return [[`${member}/moving-proxies`, proxies] as const, ...weights];
}
