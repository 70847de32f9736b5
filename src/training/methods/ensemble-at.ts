import { z } from 'zod';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption, craftOn, trainingAttack, trainingLoss } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Method } from '../method.js';

export const ensembleAtOptions = z.strictObject({
  members: count.default(3).describe('networks in the ensemble'),
  attack: attackOption,
});

/** Options of {@link ensembleAt}. */
export type EnsembleAtOptions = z.input<typeof ensembleAtOptions>;

/**
 * Members trained adversarially side by side, each on all data and against itself: the baseline that EAT must beat.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function ensembleAt(options: EnsembleAtOptions): Method {
  const { members, attack } = parseOptions(ensembleAtOptions, options);
  const settings = trainingAttack(attack);
  return {
    config: { name: ensembleAtPart.name, members, attack: settings },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: (step) => step.rows.map((rows, i) => ({ images: craftOn(step, [i], rows, settings, i) })),
    memberLoss: trainingLoss,
  };
}

export const ensembleAtPart = part(
  'ensemble-at',
  'adversarial training of several networks side by side, each against itself',
  ensembleAtOptions,
  ensembleAt,
);
