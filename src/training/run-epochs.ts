import type { LockedFolder } from '../checkpoints/index.js';
import type { Source } from '../data/index.js';
import { asOnFirst, isOnAny, together } from '../distributed/together.js';
import { aborted, EatDmlError } from '../errors.js';
import { embedderWith } from '../models/embedder.js';
import { type Embedder, Ensemble } from '../models/index.js';
import { stayOnBackend } from '../tfjs/index.js';
import { idleWarning } from './idle.js';
import type { Settings } from './options.js';
import { checkWeights } from './parallel/agree.js';
import { type Grid, shareMemory } from './parallel/grid.js';
import { sharded } from './parallel/sharded-embedder.js';
import { prefetchShared, sharedBatch } from './parallel/shared-batch.js';
import { Reporter } from './progress.js';
import { LateSteps } from './state/late-steps.js';
import type { TrainingState } from './state/restore-state.js';
import { shown } from './state/trainee.js';
import { saveState } from './state/training-state.js';
import { meanOf, rateOf, type TrainingBatch, trainStep } from './train-step.js';
import type { TrainingSet } from './training-set.js';
import { bestOf, isOver, saveBest } from './validation/best.js';
import { type ValidationScores, validationScores } from './validation/validate.js';

/** An epoch that has ended, and the members as it left them. */
export interface TrainedEpoch {
  /** Epochs completed, of `epochs`. */
  epoch: number;
  epochs: number;
  /** Steps completed. */
  step: number;
  /** Mean of the epoch. */
  loss: number;
  /** Where it was validated. */
  scores?: ValidationScores;
  /** The members (their moving averages, where there are such), to embed and to evaluate with. They are training's own. */
  ensemble: Ensemble;
}

/** A run as its epochs take it. */
export interface Run {
  settings: Settings;
  state: TrainingState;
  set: TrainingSet;
  /** What it is validated on. */
  held?: Source;
  /** Where it is saved, by rank 0. */
  folder?: LockedFolder;
  grid: Grid;
}

/** Trains from where the state stands to the last epoch, or to where the validation says that it is over. */
export async function runEpochs(run: Run): Promise<void> {
  const { settings, state, set, grid } = run;
  const { position } = state;
  const { epochs, onEpoch } = settings;
  const { world } = grid;
  const savesEpochs = settings.checkpoint?.everySteps === undefined || (await isOnAny(world, onEpoch !== undefined));
  const report = new Reporter(settings, position, epochs * set.stepsPerEpoch);
  const save = saver(run);
  const rateAt = (step: number) => settings.learningRate * rateOf(settings, step, set.stepsPerEpoch);
  const closed = async (resumed: boolean) => {
    const scores = await validate(run).catch((error) => savedFirst(error, run, save));
    if (!resumed) await checkWeights(world, state.trainees, `after epoch ${position.losses.length}`);
    if (scores) report.scores(position, scores, rateAt(position.step - 1));
    if (resumed && !scores) return;
    if (savesEpochs) await save();
    await together(world, () => onEpoch?.(epochOf(run, scores)));
  };
  // What an interrupted run had not come to.
  await closed(true);
  while (position.losses.length < epochs && !isStopped(run)) {
    await runEpoch(run, report, save);
    await closed(false);
  }
  await save();
}

async function runEpoch(run: Run, report: Reporter, save: Save) {
  const { settings, state, set, folder, grid } = run;
  const { signal, checkpoint } = settings;
  const { position } = state;
  const epoch = position.losses.length;
  const batches = set.batchesOf(epoch);
  const last = (epoch + 1) * set.stepsPerEpoch;
  const late = new LateSteps();
  try {
    while (position.step < last) {
      // A turn of the event loop per step lets signals, timers and the user's own work through.
      await new Promise(setImmediate);
      if (await isAborted(run)) {
        await late.settleAll();
        await save();
        throw stopped(signal);
      }
      stayOnBackend();
      const start = performance.now();
      const at = position.step - epoch * set.stepsPerEpoch;
      const samples = batches[at];
      // The step numbers the random views: a resumed run draws those of an uninterrupted one.
      const read = sharedBatch(set.data, samples, { signal, draw: position.step }, grid.ofAll);
      const images = await read.catch(unlessAborted(run));
      if (!images) continue;
      const next = batches[at + 1];
      if (next) prefetchShared(set.data, next, { signal, draw: position.step + 1 }, grid.ofAll);
      makeStep(run, { samples, images }, late, report, start);
      // What is saved must be known to be sound.
      const saves = checkpoint?.everySteps !== undefined && position.step % checkpoint.everySteps === 0;
      await (saves || position.step === last ? late.settleAll() : late.settle());
      await shareMemory(grid, position.memory);
      if (saves) await save();
      await folder?.touch();
    }
  } catch (error) {
    // A step before what failed now may have been what went wrong.
    await late.settleAll();
    throw error;
  }
}

/** One step, which is counted now and reported when its losses are there. */
function makeStep(
  { settings, state, set, grid }: Run,
  batch: TrainingBatch,
  late: LateSteps,
  report: Reporter,
  start: number,
) {
  const { position } = state;
  const { stepsPerEpoch } = set;
  const learningRate = settings.learningRate * rateOf(settings, position.step, stepsPerEpoch);
  let losses: number[] = [];
  const work = () => {
    losses = trainStep(settings, state, set, batch, grid);
    position.seconds += (performance.now() - start) / 1000;
  };
  const step = position.step + 1;
  late.make(work, (waited) => {
    const loss = meanOf(losses);
    position.seconds += waited;
    position.lossSum += loss;
    const warning = step % stepsPerEpoch === 0 ? closeEpoch(settings, state, stepsPerEpoch, learningRate) : undefined;
    report.step({ ...position, step }, { loss, images: batch.samples.length, learningRate, warning });
  });
  position.step = step;
}

/** Whether any rank is to stop. */
async function isAborted({ settings: { signal }, grid: { world } }: Run): Promise<boolean> {
  const own = signal?.aborted ?? false;
  return world.size === 1 ? own : isOnAny(world, own);
}

/** What a run that was stopped throws, on ranks whose own signal did not fire, too. */
const stopped = (signal: AbortSignal | undefined): EatDmlError =>
  aborted(signal?.aborted ? signal : AbortSignal.abort());

/** Whether the signal of some rank ended the work: each rank comes to the same answer. */
function wasAborted(error: unknown, { settings: { signal }, grid: { world } }: Run): boolean {
  if (world.size === 1) return signal?.aborted ?? false;
  return error instanceof EatDmlError && error.code === 'ERR_ABORTED';
}

/** Of a batch that was not read because the signal fired: nothing, so that the loop can save and end. */
function unlessAborted(run: Run): (error: unknown) => undefined {
  return (error) => {
    if (!wasAborted(error, run)) throw error;
  };
}

type Save = () => Promise<void>;

/** Throws what ended the work, saved first where that was the signal. */
async function savedFirst(error: unknown, run: Run, save: Save): Promise<never> {
  if (wasAborted(error, run)) await save();
  throw error;
}

/** Saves where anything is new since it was last saved. A save that fails ends the run: what it would add could be lost. */
function saver({ settings, state, folder, grid }: Run): Save {
  const { position } = state;
  const mark = () => `${position.step}/${position.validations?.length}`;
  let [saved, step] = settings.resume ? [mark(), position.step] : ['', -1];
  return async () => {
    if (!settings.checkpoint || saved === mark()) return;
    const write = folder && (() => saveState(folder, settings, state));
    await together(grid.world, async () => write?.()).catch((cause) => {
      if (!(cause instanceof EatDmlError)) throw cause;
      const last = step < 0 ? 'None was saved before' : `That of step ${step} is whole: resume from it`;
      throw new EatDmlError(cause.code, cause.message, { hint: `${last}. ${cause.hint ?? ''}`.trim(), cause });
    });
    [saved, step] = [mark(), position.step];
  };
}

/** The warning that the epoch deserves, where it taught some member nothing. */
function closeEpoch(
  settings: Settings,
  { position, trainees }: TrainingState,
  steps: number,
  learningRate: number,
): string | undefined {
  const mean = position.lossSum / steps;
  position.losses.push(mean);
  position.learningRates.push(learningRate);
  position.lossSum = 0;
  const members = [...trainees.keys()].filter((i) => !position.moved[i]);
  position.moved = trainees.map(() => false);
  if (members.length === 0) return undefined;
  const idle = { epoch: position.losses.length, members };
  position.idle.push(idle);
  return idleWarning(idle, settings, mean);
}

/** The scores of the epoch just closed, where it is one to validate and has not been; the best is saved with them. */
async function validate(run: Run): Promise<ValidationScores | undefined> {
  const { settings, state, held, folder, grid } = run;
  const { world } = grid;
  const { position } = state;
  const { validation } = settings;
  const epoch = position.losses.length;
  const done = position.validations?.at(-1)?.epoch ?? 0;
  // Within an epoch the last one is closed, too: its validation is either recorded or still due.
  if (!validation || !held || epoch === 0 || epoch % validation.every !== 0 || done >= epoch) return undefined;
  if (await isAborted(run)) throw stopped(settings.signal);
  // Ranks validate together, and none may leave.
  const signal = world.size === 1 ? settings.signal : undefined;
  const ensemble = ensembleOf(run, (embedder) => sharded(embedder, grid.ofAll));
  const scores = await asOnFirst(world, await validationScores(ensemble, held, validation, { ...settings, signal }));
  position.validations = [...(position.validations ?? []), { epoch, scores }];
  const best = bestOf(position.validations, validation);
  if (best?.epoch === epoch) await together(world, async () => folder && saveBest(folder, settings, state, best));
  return scores;
}

function isStopped({ settings: { validation }, state: { position } }: Run): boolean {
  return validation !== undefined && isOver(position.validations ?? [], validation);
}

/** The members as one, to be looked at: it frees nothing. */
function ensembleOf({ state: { trainees, trainedOn } }: Run, by = (embedder: Embedder) => embedder): Ensemble {
  const members = trainees.map((trainee) => embedderWith(by(shown(trainee).embedder), { dispose: () => {} }));
  return new Ensemble(members, trainedOn);
}

function epochOf(run: Run, scores: ValidationScores | undefined): TrainedEpoch {
  const { step, losses } = run.state.position;
  const [epoch, epochs] = [losses.length, run.settings.epochs];
  return { epoch, epochs, step, loss: losses.at(-1)!, ...(scores && { scores }), ensemble: ensembleOf(run) };
}
