import { z } from 'zod';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { rowsOf, trainingLoss } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Method } from '../method.js';

export const standardOptions = z.strictObject({
  members: count.default(1).describe('networks that differ in their initial weights only'),
});

/** Options of {@link standard}. */
export type StandardOptions = z.input<typeof standardOptions>;

/**
 * Plain training on clean images.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { convEmbedder, openData, standard, train, tripletMargin } from 'eat-dml';
 *
 * const { train: seen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['train'] });
 * const batch = { classes: 3, images: 4 };
 * await train({ data: seen, model: convEmbedder({ width: 8 }), method: standard(), loss: tripletMargin(), batch, epochs: 1 });
 * ```
 */
export function standard(options: StandardOptions = {}): Method {
  const { members } = parseOptions(standardOptions, options);
  return {
    config: { name: standardPart.name, members },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: ({ images, rows }) => rows.map((own) => ({ images: rowsOf(images, own) })),
    memberLoss: trainingLoss,
  };
}

export const standardPart = part('standard', 'plain training on clean images', standardOptions, standard);
