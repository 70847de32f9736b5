import { type LockedFolder, lockFolder, readRecordedRun } from '../checkpoints/index.js';
import { aborted, EatDmlError } from '../errors.js';
import { onBackend, stayOnBackend } from '../tfjs/index.js';
import { idleWarning } from './idle.js';
import { type Settings, settingsOf, type TrainOptions } from './options.js';
import { Pace } from './progress.js';
import { trainStep } from './train-step.js';
import { TrainedEnsemble } from './trained-ensemble.js';
import { type TrainingSet, trainingSet } from './training-set.js';
import { disposeState, openState, saveState, type TrainingState } from './training-state.js';

/**
 * Trains an ensemble (of one member where the method has one) and returns it with its proxies and the run's record;
 * the caller disposes it. Each step draws one batch from the union of the members' data, lets the method craft, and
 * updates every member on its own images of the batch (see {@link Method}). With a checkpoint folder the state is
 * saved after every epoch and when the signal aborts; `resume` then gives, bit for bit on one backend, what an
 * uninterrupted run gives. The folder is locked meanwhile.
 * Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_CHECKPOINT, ERR_ABORTED, ERR_DIVERGED (a loss that is not finite), ERR_SYSTEM and
 * ERR_PATH (a checkpoint that cannot be saved); after each the last checkpoint stays.
 */
export async function train(options: TrainOptions): Promise<TrainedEnsemble> {
  const settings = settingsOf(options);
  return onBackend(settings.backend, () => trained(settings));
}

async function trained(settings: Settings): Promise<TrainedEnsemble> {
  const set = trainingSet(settings, settings.data);
  const folder = await openFolder(settings);
  try {
    const state = await openState(settings, set.classes.length);
    await runEpochs(settings, state, set, folder).catch((error) => {
      disposeState(state);
      throw error;
    });
    return finished(state, set.classes);
  } finally {
    await folder?.release();
  }
}

/** The folder of checkpoints, locked, where there is one; a run to resume must be there already. */
async function openFolder({ checkpoint, resume }: Settings): Promise<LockedFolder | undefined> {
  if (!checkpoint) return undefined;
  if (resume) await readRecordedRun(checkpoint.dir);
  return lockFolder(checkpoint.dir);
}

function finished({ trainees, position, trainedOn }: TrainingState, classes: Int32Array): TrainedEnsemble {
  for (const { optimizer } of trainees) optimizer.dispose();
  const { step: steps, lossSum: _, moved: __, ...rest } = position;
  const history = { epochs: position.losses.length, steps, ...rest };
  return new TrainedEnsemble(trainees, classes, history, trainedOn);
}

async function runEpochs(settings: Settings, state: TrainingState, set: TrainingSet, folder: LockedFolder | undefined) {
  const { epochs, signal, checkpoint } = settings;
  const { position } = state;
  const { stepsPerEpoch: perEpoch, batchesOf } = set;
  let [epoch, batches] = [position.losses.length, batchesOf(position.losses.length)];
  const report = reporter(settings, position.step, epochs * perEpoch);
  const save = saver(settings, state, folder);
  for (; epoch < epochs; batches = batchesOf(++epoch)) {
    while (position.step < (epoch + 1) * perEpoch) {
      // A turn of the event loop per step lets signals, timers and the user's own work through.
      await new Promise(setImmediate);
      if (signal?.aborted) {
        await save();
        throw aborted(signal);
      }
      stayOnBackend();
      const start = performance.now();
      const at = position.step - epoch * perEpoch;
      const chosen = batches[at];
      // The step numbers the random views: a resumed run draws those of an uninterrupted one.
      const images = await set.data.batch(chosen, { signal, draw: position.step }).catch(unlessAborted(signal));
      if (!images) continue;
      const next = batches[at + 1];
      if (next) set.data.prefetch?.(next, { signal, draw: position.step + 1 });
      const loss = trainStep(settings, state, set, { samples: chosen, images });
      position.seconds += (performance.now() - start) / 1000;
      position.step++;
      position.lossSum += loss;
      const warning = position.step === (epoch + 1) * perEpoch ? closeEpoch(settings, state, perEpoch) : undefined;
      report(position, loss, chosen.length, warning);
      if (position.step % (checkpoint?.everySteps ?? perEpoch) === 0) await save();
      await folder?.touch();
    }
  }
  await save();
}

/** Of a batch that was not read because the signal fired: nothing, so that the loop can save and end. */
function unlessAborted(signal: AbortSignal | undefined): (error: unknown) => undefined {
  return (error) => {
    if (!signal?.aborted) throw error;
  };
}

/** Saves where anything is new since it was last saved. A save that fails ends the run: what it would add could be lost. */
function saver(settings: Settings, state: TrainingState, folder: LockedFolder | undefined): () => Promise<void> {
  const { position } = state;
  let saved = settings.resume ? position.step : -1;
  return async () => {
    if (!folder || saved === position.step) return;
    await saveState(folder, settings, state).catch((cause) => {
      if (!(cause instanceof EatDmlError)) throw cause;
      const last = saved < 0 ? 'None was saved before' : `That of step ${saved} is whole: resume from it`;
      throw new EatDmlError(cause.code, cause.message, { hint: `${last}. ${cause.hint ?? ''}`.trim(), cause });
    });
    saved = position.step;
  };
}

/** The warning that the epoch deserves, where it taught some member nothing. */
function closeEpoch(settings: Settings, { position, trainees }: TrainingState, steps: number): string | undefined {
  const mean = position.lossSum / steps;
  position.losses.push(mean);
  position.lossSum = 0;
  const members = [...trainees.keys()].filter((i) => !position.moved[i]);
  position.moved = trainees.map(() => false);
  if (members.length === 0) return undefined;
  const idle = { epoch: position.losses.length, members };
  position.idle.push(idle);
  return idleWarning(idle, settings, mean);
}

function reporter({ onProgress, epochs }: Settings, firstStep: number, steps: number) {
  const pace = new Pace();
  return ({ step, losses }: TrainingState['position'], loss: number, images: number, warning?: string): void => {
    const { rate, seconds } = pace.after(step - firstStep, steps - step);
    const progress = { epoch: losses.length, epochs, step, steps, loss };
    const pacing = { imagesPerSecond: rate * images, etaSeconds: seconds };
    onProgress?.({ phase: 'train', ...progress, ...pacing, ...(warning && { warning }) });
  };
}
