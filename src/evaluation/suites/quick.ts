import { STRONGEST, suitePart, withPgd } from './plan.js';

export const quickPart = suitePart('quick', 'PGD of 10 steps on the three strongest objectives', (given) =>
  withPgd(given, 10, 1, STRONGEST),
);
