import { z } from 'zod';
import { objective } from '../../attacks/index.js';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftWith, trainingAttack, trainingLoss } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Method } from '../method.js';

export const estOptions = z.strictObject({
  members: count.default(1).describe('networks in the ensemble'),
  attack: attackOption,
});

/** Options of {@link est}. */
export type EstOptions = z.input<typeof estOptions>;

/**
 * Embedding-shifted triplet (Zhou et al., "Adversarial ranking attack and defense", ECCV 2020): learns from images whose
 * embeddings were pushed as far from their clean selves as the ball allows.
 * Adapted: any metric loss in place of the triplet loss, random starts.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function est(options: EstOptions): Method {
  const { members, attack } = parseOptions(estOptions, options);
  const settings = trainingAttack(attack);
  const goal = objective('embedding-shift');
  return {
    config: { name: estPart.name, members, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => ({ images: craftWith(step, [i], rows, settings, i, goal) })),
    memberLoss: trainingLoss,
  };
}

export const estPart = part(
  'est',
  'embedding-shifted triplet (Zhou et al., ECCV 2020): learns from images whose embeddings were pushed away',
  estOptions,
  est,
);
