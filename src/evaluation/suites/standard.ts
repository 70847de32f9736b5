import { ALL, others, suitePart, TARGETED, withApgd, withPgd } from './plan.js';

export const standardPart = suitePart(
  'standard',
  'PGD of 20 steps on all seven objectives, APGD of 20 on two, FGSM, MI-FGSM, and Square with 100 queries',
  (given) => [...withPgd(given, 20, 1, ALL), ...withApgd(given, 20, TARGETED), ...others(given, 10, 100)],
);
