import { onClusters, onRetrieval, suitePart, VARIED, withPgd } from './plan.js';

export const quickPart = suitePart(
  'quick',
  'momentum PGD of 20 steps on soft-kmeans at two temperatures and of 10 on retrieval, towards all and towards the two nearest other ' +
    'classes, PGD of 10 on centroid-margin, centroid-random-target, embedding-shift and joint-pairwise',
  (given) => [
    ...onClusters(given, 20, 1, [0.05, 0.1]),
    ...onRetrieval(given, 10, 1, 2),
    ...withPgd(given, 10, 1, VARIED),
  ],
);
