import { finishSaves, type LockedFolder, lockFolder, readRecordedRun } from '../checkpoints/index.js';
import { onBackend } from '../tfjs/index.js';
import { type Settings, settingsOf, type TrainOptions } from './options.js';
import { plan } from './plan.js';
import { runEpochs } from './run-epochs.js';
import type { TrainingState } from './state/restore-state.js';
import { disposeTrainees, shown } from './state/trainee.js';
import { openState } from './state/training-state.js';
import { TrainedEnsemble } from './trained-ensemble.js';
import { type TrainingSet, trainingSet } from './training-set.js';
import { bestOf } from './validation/best.js';
import { trainingSides } from './validation/held-out.js';

/**
 * Trains an ensemble (of one member where the method has one) and returns it with its proxies and the run's record;
 * the caller disposes it. Each step draws one batch from the union of the members' data, lets the method craft, and
 * updates every member on its own images of the batch (see {@link Method}). With a validation the best epoch by it is kept
 * in the folder `best` of the checkpoint's; what is returned is the last. With a checkpoint folder the state is
 * saved after every epoch and when the signal aborts; `resume` then gives, bit for bit on one backend, what an
 * uninterrupted run gives. The folder is locked meanwhile.
 * Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_CHECKPOINT, ERR_ABORTED, ERR_DIVERGED (a loss that is not finite), ERR_SYSTEM and
 * ERR_PATH (a checkpoint that cannot be saved); after each the last checkpoint stays.
 *
 * @example
 * ```ts
 * import { convEmbedder, eatHeads, openData, train } from 'eat-dml';
 *
 * const { train: seen, test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 } });
 * const ensemble = await train({
 *   data: seen!,
 *   model: convEmbedder({ dimension: 32, width: 8 }),
 *   method: eatHeads({ heads: 3, attack: { epsilon: 8 / 255, steps: 5 } }),
 *   epochs: 4,
 *   batch: { classes: 3, images: 4 },
 *   seed: 1,
 *   checkpoint: 'runs/mine',
 *   onProgress: ({ step, steps, loss }) => console.log(`step ${step} of ${steps}: loss ${loss.toFixed(2)}`),
 * });
 * console.log(await ensemble.embed(unseen!));
 * ```
 */
export async function train(options: TrainOptions): Promise<TrainedEnsemble> {
  const settings = settingsOf(options);
  return onBackend(settings.backend, () => trained(settings));
}

async function trained(settings: Settings): Promise<TrainedEnsemble> {
  const { learnt, held } = trainingSides(settings);
  const set = trainingSet(settings, learnt);
  const folder = await openFolder(settings);
  try {
    const state = await openState(settings, set.classes.length);
    try {
      if (settings.resume && folder) await finishSaves(folder);
      await tellPlan(settings, set, state.position.step);
      await runEpochs({ settings, state, set, held, folder });
    } catch (error) {
      disposeTrainees(state.trainees);
      throw error;
    }
    return finished(settings, state, set.classes);
  } finally {
    await folder?.release();
  }
}

/** Tells the caller what the run will take, where he asks and anything is left of it. */
async function tellPlan(settings: Settings, set: TrainingSet, step: number): Promise<void> {
  const { onPlan, epochs, signal } = settings;
  if (!onPlan || step >= epochs * set.stepsPerEpoch || signal?.aborted) return;
  const told = await plan(settings, set, step).catch((error) => {
    // The run itself saves, and ends.
    if (!signal?.aborted) throw error;
  });
  if (told) onPlan(told);
}

/** The folder of checkpoints, locked, where there is one; a run to resume must be there already. */
async function openFolder({ checkpoint, resume }: Settings): Promise<LockedFolder | undefined> {
  if (!checkpoint) return undefined;
  if (resume) await readRecordedRun(checkpoint.dir);
  return lockFolder(checkpoint.dir);
}

function finished({ validation }: Settings, state: TrainingState, classes: Int32Array): TrainedEnsemble {
  const { trainees, position, trainedOn } = state;
  for (const { optimizer, average, embedder, proxies } of trainees) {
    optimizer.dispose();
    if (!average) continue;
    embedder.dispose();
    proxies.dispose();
  }
  const { step: steps, lossSum: _, moved: __, ...rest } = position;
  const best = validation && bestOf(position.validations ?? [], validation);
  const history = { epochs: position.losses.length, steps, ...rest, ...(best && { best }) };
  return new TrainedEnsemble(trainees.map(shown), classes, history, trainedOn);
}
