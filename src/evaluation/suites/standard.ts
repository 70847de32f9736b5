import { ALL, onClusters, onRetrieval, others, suitePart, TARGETED, TEMPERATURES, withApgd, withPgd } from './plan.js';

export const standardPart = suitePart(
  'standard',
  'momentum PGD of 60 steps on soft-kmeans at four temperatures and on retrieval, towards all and towards the four nearest other classes, PGD of 20 on the six other objectives, APGD ' +
    'of 20 on three, FGSM, MI-FGSM, and Square with 100 queries',
  (given) => [
    ...onClusters(given, 60, 1, TEMPERATURES),
    ...onRetrieval(given, 60, 1, 4),
    ...withPgd(given, 20, 1, ALL),
    ...withApgd(given, 20, ['retrieval', ...TARGETED]),
    ...others(given, 10, 100),
  ],
);
