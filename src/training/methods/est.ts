import { objective } from '../../attacks/index.js';
import { craftWith, type TrainingAttack, trainingAttack, trainingLoss } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Method } from '../method.js';

export interface EstOptions {
  /** Default 1. */
  members?: number;
  attack: TrainingAttack;
}

/**
 * Embedding-shifted triplet (Zhou et al., "Adversarial ranking attack and defense", ECCV 2020): learns from images whose
 * embeddings were pushed as far from their clean selves as the ball allows.
 * Adapted: any metric loss in place of the triplet loss, random starts.
 */
export function est({ members = 1, attack }: EstOptions): Method {
  const settings = trainingAttack(attack);
  const goal = objective('embedding-shift');
  return {
    config: { name: 'est', members, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => ({ images: craftWith(step, [i], rows, settings, i, goal) })),
    memberLoss: trainingLoss,
  };
}
