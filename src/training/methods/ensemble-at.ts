import { craftOn, type TrainingAttack, trainingAttack, trainingLoss } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Method } from '../method.js';

export interface EnsembleAtOptions {
  /** Default 3. */
  members?: number;
  attack: TrainingAttack;
}

/** Members trained adversarially side by side, each on all data and against itself: the baseline that EAT must beat. */
export function ensembleAt({ members = 3, attack }: EnsembleAtOptions): Method {
  const settings = trainingAttack(attack);
  return {
    config: { name: 'ensemble-at', members, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => ({ images: craftOn(step, [i], rows, settings, i) })),
    memberLoss: trainingLoss,
  };
}
