import { finishSaves, type LockedFolder, lockFolder, readRecordedRun } from '../checkpoints/index.js';
import { isOnAny, together } from '../distributed/together.js';
import { onBackend } from '../tfjs/index.js';
import { type Settings, settingsOf, type TrainOptions } from './options.js';
import { checkAgreed, checkWeights } from './parallel/agree.js';
import { checkShareable, type Grid, gridOf } from './parallel/grid.js';
import { groupIn } from './parallel/options.js';
import { shareState } from './parallel/share-state.js';
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
 * uninterrupted run gives. The folder is locked meanwhile. Of several processes ({@link TrainOptions}'s `distributed`) each gets the
 * same result, and rank 0 alone writes.
 * Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_CHECKPOINT, ERR_ABORTED, ERR_DIVERGED (a loss that is not finite), ERR_DISTRIBUTED
 * (ranks that differ), ERR_SYSTEM and ERR_PATH (a checkpoint that cannot be saved); after each the last checkpoint stays.
 *
 * @example
 * ```ts
 * import { convEmbedder, eatHeads, openData, train } from 'eat-dml';
 *
 * const { train: seen, test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['train', 'test'] });
 * const ensemble = await train({
 *   data: seen,
 *   model: convEmbedder({ dimension: 32, width: 8 }),
 *   method: eatHeads({ heads: 3, attack: { epsilon: 8 / 255, steps: 5 } }),
 *   epochs: 4,
 *   batch: { classes: 3, images: 4 },
 *   seed: 1,
 *   checkpoint: 'runs/mine',
 *   onProgress: ({ step, steps, loss }) => console.log(`step ${step} of ${steps}: loss ${loss.toFixed(2)}`),
 * });
 * console.log(await ensemble.embed(unseen));
 * ```
 */
export async function train(options: TrainOptions): Promise<TrainedEnsemble> {
  const group = groupIn(options);
  // Alone the backend is taken before anything is waited for: the next job finds it in use.
  const settings = group.size === 1 ? settingsOf(options) : await together(group, () => settingsOf(options));
  return onBackend(settings.backend, () => trained(settings));
}

async function trained(settings: Settings): Promise<TrainedEnsemble> {
  const grid = await gridOf(settings.distributed);
  const { world } = grid;
  const { held, set } = await together(world, () => {
    const sides = trainingSides(settings);
    return { ...sides, set: trainingSet(settings, sides.learnt) };
  });
  await checkAgreed(world, settings);
  const folder = await together(world, () => openFolder(forRank(grid, settings)));
  try {
    const state = await openedState(grid, settings, set.classes.length);
    try {
      if (settings.resume && folder) await finishSaves(folder);
      await tellPlan(settings, set, state.position.step, grid);
      await runEpochs({ settings, state, set, held, folder, grid });
    } catch (error) {
      disposeTrainees(state.trainees);
      throw error;
    }
    return finished(settings, state, set.classes);
  } finally {
    await folder?.release();
  }
}

/** Checkpoints are rank 0's, to read and to write. */
function forRank({ world }: Grid, settings: Settings): Settings {
  return world.rank === 0 ? settings : { ...settings, checkpoint: undefined, resume: false };
}

/** The state that all ranks go on from. */
async function openedState(grid: Grid, settings: Settings, classes: number): Promise<TrainingState> {
  const { world } = grid;
  const state = await together(world, () => openState(forRank(grid, settings), classes));
  try {
    await together(world, () => checkShareable(grid, state.trainees));
    if (settings.resume) await shareState(grid, state);
    await checkWeights(world, state.trainees, 'at the beginning');
    return state;
  } catch (error) {
    disposeTrainees(state.trainees);
    throw error;
  }
}

/** Tells the caller what the run will take, where he asks and anything is left of it. */
async function tellPlan(given: Settings, set: TrainingSet, step: number, grid: Grid): Promise<void> {
  const { world } = grid;
  // Ranks make its steps together, and none may leave.
  const settings = world.size === 1 ? given : { ...given, signal: undefined };
  const { onPlan, epochs, signal } = settings;
  const isAsked = await isOnAny(world, onPlan !== undefined);
  if (!isAsked || step >= epochs * set.stepsPerEpoch || signal?.aborted) return;
  const told = await plan(settings, set, step, grid).catch((error) => {
    // The run itself saves, and ends.
    if (!signal?.aborted) throw error;
  });
  if (told) await together(world, () => onPlan?.(told));
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
