import { classesOf } from '../data/index.js';
import { aborted, invalid } from '../errors.js';
import { chooseBackend } from '../models/index.js';
import { epochBatches } from './batches.js';
import { type Settings, settingsOf, type TrainOptions } from './options.js';
import { Pace } from './progress.js';
import { type TrainingSet, trainStep } from './train-step.js';
import { TrainedEnsemble } from './trained-ensemble.js';
import { disposeState, openState, saveState, type TrainingState } from './training-state.js';

/**
 * Trains an ensemble (of one member where the method has one) and returns it with its proxies and the run's record;
 * the caller disposes it. Each step draws one batch from the union of the members' data, lets the method craft, and
 * updates every member on its own images of the batch (see {@link Method}). With a checkpoint folder the state is
 * saved after every epoch and when the signal aborts; `resume` then gives, bit for bit on one backend, what an
 * uninterrupted run gives.
 * Errors: ERR_ARGUMENT, ERR_BACKEND, ERR_CHECKPOINT, ERR_ABORTED, ERR_DIVERGED (a loss that is not finite; the last
 * checkpoint stays).
 */
export async function train(options: TrainOptions): Promise<TrainedEnsemble> {
  const settings = settingsOf(options);
  await chooseBackend({ backend: settings.backend });
  const { set, candidates, classes } = trainingSet(settings);
  const state = await openState(settings, classes.length);
  try {
    await runEpochs(settings, state, set, candidates);
  } catch (error) {
    disposeState(state);
    throw error;
  }
  const { trainees, position } = state;
  for (const { optimizer } of trainees) optimizer.dispose();
  const { step: steps, imagesSeen, gradientEvaluations, seconds, losses } = position;
  const history = { epochs: losses.length, steps, losses, imagesSeen, gradientEvaluations, seconds };
  return new TrainedEnsemble(trainees, classes, history);
}

/** The data as steps take it, and the samples that any member learns from. */
function trainingSet({ data, method, seed }: Settings) {
  const classes = classesOf(data);
  const rowOf = new Map(Array.from(classes, (label, row) => [label, row]));
  const parts = method.memberData(data.labels, seed);
  if (parts.length !== method.members || parts.some((part) => part.length === 0)) {
    throw invalid('method.memberData', `${method.members} lists of samples, none empty`, parts);
  }
  const memberOf = parts.map((part) => {
    const own = new Uint8Array(data.length);
    for (const sample of part) own[sample] = 1;
    return own;
  });
  const set: TrainingSet = { data, classOf: data.labels.map((label) => rowOf.get(label)!), memberOf };
  const candidates = Int32Array.from(data.labels.keys()).filter((i) => memberOf.some((own) => own[i] === 1));
  return { set, candidates, classes };
}

async function runEpochs(settings: Settings, state: TrainingState, set: TrainingSet, candidates: Int32Array) {
  const { seed, batch, epochs, signal, checkpoint } = settings;
  const { position } = state;
  const labels = candidates.map((sample) => set.classOf[sample]);
  const batchesOf = (epoch: number) => epochBatches(batch, labels, seed, epoch);
  let [epoch, batches] = [position.losses.length, batchesOf(position.losses.length)];
  const perEpoch = batches.length;
  const report = reporter(settings, position.step, epochs * perEpoch);
  let saved = settings.resume ? position.step : -1;
  const save = async () => {
    if (checkpoint && saved !== position.step) await saveState(settings, state);
    saved = position.step;
  };
  for (; epoch < epochs; batches = batchesOf(++epoch)) {
    while (position.step < (epoch + 1) * perEpoch) {
      // A turn of the event loop per step lets signals, timers and the user's own work through.
      await new Promise(setImmediate);
      if (signal?.aborted) {
        await save();
        throw aborted(signal);
      }
      const start = performance.now();
      const chosen = batches[position.step - epoch * perEpoch].map((at) => candidates[at]);
      const loss = trainStep(settings, state, set, chosen);
      position.seconds += (performance.now() - start) / 1000;
      position.step++;
      position.lossSum += loss;
      if (position.step === (epoch + 1) * perEpoch) closeEpoch(state, perEpoch);
      report(position, loss, chosen.length);
      if (position.step % (checkpoint?.everySteps ?? perEpoch) === 0) await save();
    }
  }
  await save();
}

function closeEpoch({ position }: TrainingState, steps: number): void {
  position.losses.push(position.lossSum / steps);
  position.lossSum = 0;
}

function reporter({ onProgress, epochs }: Settings, firstStep: number, steps: number) {
  const pace = new Pace();
  return ({ step, losses }: TrainingState['position'], loss: number, images: number): void => {
    const { rate, seconds } = pace.after(step - firstStep, steps - step);
    const progress = { epoch: losses.length, epochs, step, steps, loss };
    onProgress?.({ phase: 'train', ...progress, imagesPerSecond: rate * images, etaSeconds: seconds });
  };
}
