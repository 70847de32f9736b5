import { ALL, others, suitePart, TARGETED, TEMPERATURES, withApgd, withMpgd, withPgd } from './plan.js';

export const standardPart = suitePart(
  'standard',
  'momentum PGD of 60 steps on soft-kmeans at four temperatures and on retrieval, PGD of 20 on the six other objectives, APGD ' +
    'of 20 on three, FGSM, MI-FGSM, and Square with 100 queries',
  (given) => [
    ...withMpgd(given, 60, 1, TEMPERATURES),
    ...withPgd(given, 20, 1, ALL),
    ...withApgd(given, 20, ['retrieval', ...TARGETED]),
    ...others(given, 10, 100),
  ],
);
