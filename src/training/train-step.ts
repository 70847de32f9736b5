import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { counted, type Passes } from '../models/counted.js';
import type { Embedder } from '../models/index.js';
import { inWords, knownTensor, look } from '../tfjs/index.js';
import { clipped } from './clip.js';
import { follow } from './ema.js';
import { lookForGradient } from './idle.js';
import type { Crafted, MemberUpdate, Method, TrainingStep } from './method.js';
import { heldInParts, microBatchGradients } from './micro-batches.js';
import type { Settings } from './options.js';
import { ALONE, type Grid } from './parallel/grid.js';
import { shardGradients } from './parallel/shard-gradients.js';
import { sharded } from './parallel/sharded-embedder.js';
import { type Gradients, ofAllTeams, outOfSight, roundsOf } from './parallel/update-round.js';
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
  grid: Grid = ALONE,
): number[] {
  const { method, loss, seed } = settings;
  const { trainees, position } = state;
  const rowsIn = (own: Uint8Array) => Int32Array.from(batch.keys()).filter((row) => own[batch[row]] === 1);
  const rows = set.memberOf.map(rowsIn);
  const passes = { forward: 0, backward: 0 };
  const step: TrainingStep = {
    members: trainees.map(({ embedder, proxies }) => ({
      embedder: counted(sharded(embedder, grid.ofAll), passes),
      proxies,
    })),
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
    for (const round of roundsOf(grid, learning)) {
      updateMembers({ settings, set, trainees, grid, passes }, round, { step, crafted }, (i, { value, grads }) => {
        look(value, ([loss]) => {
          if (Number.isFinite(loss)) return void losses.push(loss);
          throw diverged(`Expected a finite loss but member ${i} had ${loss} in step ${step.step}.`);
        });
        // Once an epoch and member, as a rule.
        if (position.moved[i]) return;
        lookForGradient(grads, () => {
          position.moved[i] = true;
        });
      });
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

/** What updates are made by. */
interface Updates {
  settings: Settings;
  set: TrainingSet;
  trainees: readonly Trainee[];
  grid: Grid;
  passes: Passes;
}

/** Updates the members of one round; `found` sees their losses and gradients first. */
function updateMembers(
  { settings, set: { stepsPerEpoch }, trainees, grid, passes }: Updates,
  round: readonly number[],
  { step, crafted }: { step: TrainingStep; crafted: readonly Crafted[] },
  found: (member: number, gradients: Gradients) => void,
): void {
  const { method, clip, ema } = settings;
  tf.tidy(() => {
    const updating = round.map((member) => ({
      member,
      moving: movingIn(Math.floor(step.step / stepsPerEpoch), settings, trainees[member]),
      embedder: trainees[member].embedder,
    }));
    const made = ofAllTeams(grid, updating, passes, ({ member, moving }) => {
      const labels = knownTensor(step.rows[member].map((row) => step.labels[row]));
      const lossOf = (by: TrainingStep) => method.memberLoss({ ...crafted[member], step: by, member, labels });
      return gradientsOf(lossOf, { step, member }, moving, { settings, trainee: trainees[member], grid, passes });
    });
    for (const [at, gradients] of made.entries()) {
      const { member } = updating[at];
      const trainee = trainees[member];
      found(member, gradients);
      const { grads } = gradients;
      trainee.optimizer.update(clip ? clipped(grads, clip) : grads, rateOf(settings, step.step, stepsPerEpoch));
      if (trainee.average) follow(trainee.average, trainee, ema!);
    }
  });
}

/** The mean of a step's losses. */
export function meanOf(losses: readonly number[]): number {
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

/** The loss of a member and its gradients, by this rank's team, with no more images in its network at a time than the settings say. */
function gradientsOf(
  lossOf: (step: TrainingStep) => tf.Scalar,
  { step, member }: Pick<MemberUpdate, 'step' | 'member'>,
  moving: readonly tf.Variable[],
  { settings, trainee, grid, passes }: Pick<Updates, 'settings' | 'grid' | 'passes'> & { trainee: Trainee },
): Gradients {
  const { microBatch, method } = settings;
  const { embedder, proxies } = step.members[member];
  const { shards } = grid.ofMember;
  if (microBatch === undefined && shards === 1 && grid.teams === 1)
    return tf.variableGrads(() => lossOf(step), [...moving]);
  const others = (other: Embedder): Embedder => {
    if (microBatch !== undefined) return heldInParts(other, microBatch);
    return grid.teams > 1 ? outOfSight(other, method.config.name) : other;
  };
  const by = (own: Embedder): TrainingStep => ({
    ...step,
    members: step.members.map(({ embedder, proxies }, i) => ({
      embedder: i === member ? own : others(embedder),
      proxies,
    })),
  });
  const variables = { network: moving.filter((variable) => variable !== proxies), others: [proxies] };
  if (microBatch !== undefined) return microBatchGradients((own) => lossOf(by(own)), embedder, variables, microBatch);
  const counting = (own: Embedder) => lossOf(by(counted(own, passes)));
  if (shards === 1) return tf.variableGrads(() => counting(trainee.embedder), [...moving]);
  return shardGradients(counting, trainee.embedder, variables, grid.ofMember);
}

/** What a step multiplies every learning rate by. */
export function rateOf({ schedule }: Pick<Settings, 'schedule'>, step: number, stepsPerEpoch: number): number {
  return schedule ? rateAt(schedule, step, stepsPerEpoch) : 1;
}

function diverged(message: string, cause?: unknown): EatDmlError {
  const hint = 'Lower the learning rate, or the strength of the attack that is trained against.';
  return new EatDmlError('ERR_DIVERGED', message, { hint, cause });
}
