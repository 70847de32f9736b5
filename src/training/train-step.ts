import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { counted } from '../models/counted.js';
import type { Embedder } from '../models/index.js';
import { inWords, knownTensor, look } from '../tfjs/index.js';
import { clipped } from './clip.js';
import { follow } from './ema.js';
import { lookForGradient } from './idle.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from './method.js';
import { heldInParts, microBatchGradients } from './micro-batches.js';
import type { Settings } from './options.js';
import { movingIn } from './parameter-groups.js';
import { rateAt } from './schedule.js';
import type { TrainingState } from './state/restore-state.js';
import type { Trainee } from './state/trainee.js';
import type { TrainingSet } from './training-set.js';

/** What a step is made on: samples of the training set, and their images, which the step disposes. */
export interface TrainingBatch {
  samples: Int32Array;
  images: tf.Tensor4D;
}

/**
 * One step: craft for all, then update member after member. Returns their losses, which are there when what the step looks at has been
 * looked at; then ERR_DIVERGED, too, where one is not finite.
 */
export function trainStep(
  settings: Settings,
  state: Pick<TrainingState, 'trainees' | 'position'>,
  set: TrainingSet,
  { samples: batch, images }: TrainingBatch,
): number[] {
  const { method, loss, seed } = settings;
  const { trainees, position } = state;
  const rowsIn = (own: Uint8Array) => Int32Array.from(batch.keys()).filter((row) => own[batch[row]] === 1);
  const rows = set.memberOf.map(rowsIn);
  const passes = { forward: 0, backward: 0 };
  const step: TrainingStep = {
    members: trainees.map(({ embedder, proxies }) => ({ embedder: counted(embedder, passes), proxies })),
    images,
    labels: batch.map((sample) => set.classOf[sample]),
    rows,
    ...(set.headOf && { headRows: set.headOf.map(rowsIn) }),
    loss,
    seed,
    step: position.step,
    memory: position.memory,
  };
  let crafted: Crafted[] = [];
  try {
    crafted = craftAll(method, step);
    const learning = trainees.map((_, i) => i).filter((i) => rows[i].length > 0);
    const losses: number[] = [];
    for (const i of learning) {
      const found = {
        loss: (loss: number) => losses.push(loss),
        gradients(gradients: tf.NamedTensorMap) {
          // Once an epoch and member, as a rule.
          if (position.moved[i]) return;
          lookForGradient(gradients, () => {
            position.moved[i] = true;
          });
        },
      };
      updateMember(settings, set, trainees[i], { ...crafted[i], step, member: i }, found);
    }
    position.imagesSeen += batch.length;
    position.forwardPasses += passes.forward;
    position.gradientEvaluations += passes.backward;
    return losses;
  } finally {
    tf.dispose([images, crafted as never]);
  }
}

/** What a member learns from; a network whose weights have become NaN has nothing to attack it by. */
function craftAll(method: Method, step: TrainingStep): Crafted[] {
  const words = (error: unknown) => {
    if (!(error instanceof EatDmlError) || error.code !== 'ERR_NOT_FINITE') return error;
    return diverged(`${error.message.replace(/\.$/, '')} while crafting in step ${step.step}.`, error);
  };
  return inWords(words, () => tf.tidy(() => method.craft(step) as never) as Crafted[]);
}

function updateMember(
  settings: Settings,
  { stepsPerEpoch }: TrainingSet,
  trainee: Trainee,
  given: Omit<MemberUpdate, 'labels'>,
  found: { loss(loss: number): void; gradients(gradients: tf.NamedTensorMap): void },
): void {
  const { method, clip, ema } = settings;
  const { step, member } = given;
  tf.tidy(() => {
    const labels = knownTensor(step.rows[member].map((row) => step.labels[row]));
    const moving = movingIn(Math.floor(step.step / stepsPerEpoch), settings, trainee);
    const lossOf = (by: TrainingStep) => method.memberLoss({ ...given, step: by, labels });
    const { value, grads } = gradientsOf(lossOf, given, moving, settings);
    look(value, ([loss]) => {
      if (Number.isFinite(loss)) return void found.loss(loss);
      throw diverged(`Expected a finite loss but member ${member} had ${loss} in step ${step.step}.`);
    });
    found.gradients(grads);
    trainee.optimizer.update(clip ? clipped(grads, clip) : grads, rateOf(settings, step.step, stepsPerEpoch));
    if (trainee.average) follow(trainee.average, trainee, ema!);
  });
}

/** The mean of a step's losses. */
export function meanOf(losses: readonly number[]): number {
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

/** The loss of a member and its gradients, with no more images in its network at a time than the settings say. */
function gradientsOf(
  lossOf: (step: TrainingStep) => tf.Scalar,
  { step, member }: Pick<MemberUpdate, 'step' | 'member'>,
  moving: tf.Variable[],
  { microBatch }: Settings,
): ReturnType<typeof tf.variableGrads> {
  if (microBatch === undefined) return tf.variableGrads(() => lossOf(step), moving);
  const { embedder, proxies } = step.members[member];
  const by = (other: Embedder): TrainingStep => ({
    ...step,
    members: step.members.map(({ embedder, proxies }, i) => ({
      embedder: i === member ? other : heldInParts(embedder, microBatch),
      proxies,
    })),
  });
  const network = moving.filter((variable) => variable !== proxies);
  return microBatchGradients((other) => lossOf(by(other)), embedder, { network, others: [proxies] }, microBatch);
}

/** What a step multiplies every learning rate by. */
export function rateOf({ schedule }: Pick<Settings, 'schedule'>, step: number, stepsPerEpoch: number): number {
  return schedule ? rateAt(schedule, step, stepsPerEpoch) : 1;
}

function diverged(message: string, cause?: unknown): EatDmlError {
  const hint = 'Lower the learning rate, or the strength of the attack that is trained against.';
  return new EatDmlError('ERR_DIVERGED', message, { hint, cause });
}
