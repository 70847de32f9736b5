import * as tf from '@tensorflow/tfjs';
import type { Settings } from './options.js';
import { disposeTrainees, type Trainee } from './state/trainee.js';
import { freshTrainees, startOf } from './state/training-state.js';
import { trainStep } from './train-step.js';
import type { TrainingSet } from './training-set.js';

/** Steps that are made to see how long one takes. */
const STEPS = 3;

/** What was seen of a step. */
export interface MeasuredStep {
  seconds: number;
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
  /** Drawn; by the shorter of two steps, after a first one. */
  imagesPerSecond: number;
  /** Without what validations take. */
  hours: number;
}

/** The plan of a run by what one step of it took. */
export function planOf(
  { members, parameters, proxies, epochs }: Pick<TrainingPlan, 'members' | 'parameters' | 'proxies' | 'epochs'>,
  steps: number,
  { seconds, images, standing, bytes }: MeasuredStep,
): TrainingPlan {
  const gradients = 4 * (parameters + proxies);
  return {
    ...{ members, parameters, proxies, epochs, steps, images },
    // An update makes weights and both moments anew before the old ones go.
    memoryBytes: Math.max(bytes + gradients, standing + 4 * gradients),
    imagesPerSecond: images / seconds,
    hours: (steps * seconds) / 3600,
  };
}

/**
 * The plan of a run that has `done` steps behind it: three steps, in which all variables move, on networks that are thrown away. What
 * the run itself comes to is the same, to the bit.
 */
export async function plan(settings: Settings, set: TrainingSet, done: number): Promise<TrainingPlan> {
  const before = tf.memory().numBytes;
  const trainees = freshTrainees(settings, set.classes.length);
  // The run has networks of its own already: those that are thrown away are none of its needs.
  const extra = tf.memory().numBytes - before;
  try {
    const step = await measuredStep(settings, set, trainees);
    const measured = { ...step, standing: before, bytes: step.bytes - extra };
    const [{ embedder, proxies }] = trainees;
    const parameters = embedder.variables().reduce((sum, { size }) => sum + size, 0);
    const { epochs, method } = settings;
    const of = { members: method.members, parameters, proxies: proxies.size, epochs };
    return planOf(of, epochs * set.stepsPerEpoch - done, measured);
  } finally {
    disposeTrainees(trainees);
  }
}

async function measuredStep(settings: Settings, set: TrainingSet, trainees: Trainee[]) {
  const { method, warmUp = 0, signal } = settings;
  let bytes = 0;
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
  const position = startOf(trainees.length);
  position.step = warmUp * set.stepsPerEpoch;
  const state = { trainees, position };
  const batches = set.batchesOf(0);
  const took: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    await new Promise(setImmediate);
    const samples = batches[i % batches.length];
    const start = performance.now();
    const images = await set.data.batch(samples, { signal, draw: position.step });
    trainStep(watched, state, set, { samples, images });
    took.push((performance.now() - start) / 1000);
    position.step++;
  }
  // The first compiles and allocates.
  const [, second, third] = took;
  return { seconds: Math.min(second, third), images: batches[0].length, bytes };
}
