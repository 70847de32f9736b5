import * as tf from '#tf';
import { invalid } from '../errors.js';
import { Ensemble, type TrainedOn } from '../models/index.js';
import type { IdleEpoch } from './idle.js';
import type { Member } from './method.js';
import type { BestEpoch } from './validation/best.js';
import type { ValidationScores } from './validation/validate.js';

/** What a training run did. */
export interface TrainingHistory {
  epochs: number;
  steps: number;
  /** Mean of the members' losses, one value per epoch. */
  losses: number[];
  /** Of the networks, at the last step of each epoch; of a run that an earlier version began, of its last epochs alone. */
  learningRates: number[];
  /** Images drawn into batches. A member sees those of them that are its own. */
  imagesSeen: number;
  /** Backward passes of one image through one member, crafting and updating together. */
  gradientEvaluations: number;
  /** Forward passes likewise, those before the backward ones among them. */
  forwardPasses: number;
  /** Seconds of training, over all processes that a resumed run took. */
  seconds: number;
  /** Epochs that taught all or some of the members nothing; none in a sound run. */
  idle: IdleEpoch[];
  /** The scores of every epoch that was validated. */
  validations?: { epoch: number; scores: ValidationScores }[];
  /** The best of them by the metric chosen. */
  best?: BestEpoch;
}

/** An ensemble as training leaves it: with the members' class proxies, [classes, d] each, and the record of the run. */
export class TrainedEnsemble extends Ensemble {
  readonly proxies: readonly tf.Variable[];

  constructor(
    members: readonly Member[],
    /** Label in the training data of each row of the proxies. */
    readonly classes: Int32Array,
    readonly history: TrainingHistory,
    trainedOn?: TrainedOn,
  ) {
    super(embeddersOf(members), trainedOn);
    this.proxies = members.map(({ proxies }) => proxies);
  }

  override dispose(): void {
    super.dispose();
    for (const proxies of this.proxies) proxies.dispose();
  }
}

function embeddersOf(members: readonly Member[]) {
  const sound = Array.isArray(members) && members.every((member) => member?.proxies instanceof tf.Variable);
  if (!sound) throw invalid('members', 'members with an embedder and proxies each', members);
  return members.map(({ embedder }) => embedder);
}
