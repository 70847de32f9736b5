import { rowsOf, trainingLoss } from '../craft.js';
import { everySample } from '../diversity.js';
import type { Method } from '../method.js';

export interface StandardOptions {
  /** Networks that differ in their initial weights only (default 1). */
  members?: number;
}

/** Plain training on clean images. */
export function standard({ members = 1 }: StandardOptions = {}): Method {
  return {
    config: { name: 'standard', members },
    members,
    memberData: (labels) => everySample(labels.length, members),
    craft: ({ images, rows }) => rows.map((own) => ({ images: rowsOf(images, own) })),
    memberLoss: trainingLoss,
  };
}
