import * as tf from '#tf';
import { together } from '../distributed/together.js';
import type { Settings } from './options.js';
import { ALONE, type Grid } from './parallel/grid.js';
import { prefetchShared, sharedBatch } from './parallel/shared-batch.js';
import { LateSteps } from './state/late-steps.js';
import { disposeTrainees, type Trainee } from './state/trainee.js';
import { freshTrainees, startOf } from './state/training-state.js';
import { trainStep } from './train-step.js';
import type { TrainingSet } from './training-set.js';

/** Steps of a kind that are made to see how long one takes. */
const STEPS = 4;

/** What was seen of steps. */
export interface MeasuredStep {
  /** Of a step, over all that are left. */
  seconds: number;
  /** Of a step of the warm-up, where some of those left are. */
  warmUpSeconds?: number;
  images: number;
  /** Of all tensors between two steps. */
  standing: number;
  /** Of all tensors where a member's loss is known and nothing of its network is freed yet. */
  bytes: number;
}

/** What a run will take, told before it begins. */
export interface TrainingPlan {
  /** Networks, and trainable values of one of them; its proxies' beside that. */
  members: number;
  parameters: number;
  proxies: number;
  epochs: number;
  /** Steps that are left, and images drawn in one. */
  steps: number;
  images: number;
  /** Most that tensors hold at a time, about: the end of a forward pass with gradients, or the optimiser's old and new state. */
  memoryBytes: number;
  /** Drawn, over all steps that are left; by the middle of three steps of a kind, after a first one. */
  imagesPerSecond: number;
  /** Drawn in the warm-up, whose steps move head and proxies alone. */
  warmUpImagesPerSecond?: number;
  /** Without what validations take. */
  hours: number;
}

/** How far the steps are that are made for a plan. */
export interface PlanProgress {
  /** Steps made, of `total`. */
  done: number;
  total: number;
  /** Seconds left, where those that are left take as long. */
  etaSeconds: number;
}

/** The plan of a run by what one step of it took. */
export function planOf(
  { members, parameters, proxies, epochs }: Pick<TrainingPlan, 'members' | 'parameters' | 'proxies' | 'epochs'>,
  steps: number,
  { seconds, warmUpSeconds, images, standing, bytes }: MeasuredStep,
): TrainingPlan {
  const gradients = 4 * (parameters + proxies);
  return {
    ...{ members, parameters, proxies, epochs, steps, images },
    // An update makes weights and both moments anew before the old ones go.
    memoryBytes: Math.max(bytes + gradients, standing + 4 * gradients),
    imagesPerSecond: images / seconds,
    ...(warmUpSeconds !== undefined && { warmUpImagesPerSecond: images / warmUpSeconds }),
    hours: (steps * seconds) / 3600,
  };
}

/**
 * The plan of a run that has `done` steps behind it: four steps as those of its warm-up, where some of these are left, and four in
 * which all variables move, on networks that are thrown away. What the run itself comes to is the same, to the bit.
 */
export async function plan(
  settings: Settings,
  set: TrainingSet,
  done: number,
  grid: Grid = ALONE,
): Promise<TrainingPlan> {
  const before = tf.memory().numBytes;
  const trainees = freshTrainees(settings, set.classes.length);
  // The run has networks of its own already: those that are thrown away are none of its needs.
  const extra = tf.memory().numBytes - before;
  try {
    const { epochs, method, warmUp = 0 } = settings;
    const [all, warming] = [epochs, Math.min(warmUp, epochs)].map((n) => Math.max(0, n * set.stepsPerEpoch - done));
    const total = STEPS * ((warming > 0 ? 1 : 0) + (all > warming ? 1 : 0));
    const { at, ...step } = measuring(settings, set, trainees, grid, total);
    const warm = warming > 0 ? await at(done, done + warming) : undefined;
    const full = all > warming ? await at(done + warming, done + all) : 0;
    const seconds = ((warm ?? 0) * warming + full * (all - warming)) / all;
    const bytes = step.bytes() - extra;
    const measured = { seconds, warmUpSeconds: warm, images: step.images, standing: before, bytes };
    const [{ embedder, proxies }] = trainees;
    const parameters = embedder.variables().reduce((sum, { size }) => sum + size, 0);
    const of = { members: method.members, parameters, proxies: proxies.size, epochs };
    return planOf(of, all, measured);
  } finally {
    disposeTrainees(trainees);
  }
}

/** Makes steps with the trainees, `total` in all, and sees what they take. */
function measuring(settings: Settings, set: TrainingSet, trainees: Trainee[], grid: Grid, total: number) {
  const { method, signal, onPlanStep } = settings;
  let [bytes, done, seconds] = [0, 0, 0];
  const watched: Settings = {
    ...settings,
    // By name: a method may be an object of a class.
    method: {
      config: method.config,
      members: method.members,
      memberData: (labels, seed) => method.memberData(labels, seed),
      craft: (step) => method.craft(step),
      memberLoss: (update) => {
        const loss = method.memberLoss(update);
        bytes = Math.max(bytes, tf.memory().numBytes);
        return loss;
      },
    },
  };
  const state = { trainees, position: startOf(trainees.length) };
  const batches = set.batchesOf(0);
  /** Seconds of a step as the run would make it, from the one of that number on. */
  const at = async (first: number, end: number): Promise<number> => {
    const took: number[] = [];
    for (let i = 0; i < STEPS; i++) {
      await new Promise(setImmediate);
      const { position } = state;
      position.step = Math.min(first + i, end - 1);
      const of = (step: number) => [batches[step % batches.length], { signal, draw: first + step }] as const;
      const [samples, draw] = of(i);
      const start = performance.now();
      const images = await sharedBatch(set.data, samples, draw, grid.ofAll);
      // As the run does, which reads the next batch meanwhile.
      if (i + 1 < STEPS) prefetchShared(set.data, ...of(i + 1), grid.ofAll);
      const late = new LateSteps();
      late.make(
        () => trainStep(watched, state, set, { samples, images }, grid),
        () => {},
      );
      await late.settleAll();
      took.push((performance.now() - start) / 1000);
      seconds += took.at(-1)!;
      const progress = { done: ++done, total, etaSeconds: (seconds * (total - done)) / done };
      await together(grid.world, () => onPlanStep?.(progress));
    }
    // The first compiles and allocates, and the second of a large network still takes memory that later ones have.
    const [, middle] = took.slice(1).sort((a, b) => a - b);
    return middle;
  };
  return { at, images: batches[0].length, bytes: () => bytes };
}
