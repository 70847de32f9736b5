import { STRONGEST, suitePart, withMpgd, withPgd } from './plan.js';

export const quickPart = suitePart(
  'quick',
  'momentum PGD of 20 steps on soft-kmeans at two temperatures and on retrieval, PGD of 10 on centroid-margin, ' +
    'centroid-random-target, embedding-shift and joint-pairwise',
  (given) => [...withMpgd(given, 20, 1, [0.05, 0.1]), ...withPgd(given, 10, 1, STRONGEST)],
);
