import { mpgd, type Objective, objective, pgd } from '../../attacks/index.js';
import { ALL, type AttackPlan, type Given, plan, retrieval, softKmeans, suitePart } from './plan.js';

/** Wider than those of the other suites: they are tried on a sample first. */
const SOFT_KMEANS = [0.03, 0.05, 0.075, 0.1, 0.14, 0.2, 0.3];
const RETRIEVAL = [
  ...[0.005, 0.02, 0.08].map((temperature) => ({ temperature })),
  ...[1, 2, 3].map((towards) => ({ towards })),
];

export const autoPart = suitePart(
  'auto',
  'tries every objective, soft-kmeans at many temperatures and retrieval in many ways, on a sample, and runs those that do most to this model: ' +
    'momentum PGD of 60 steps, PGD of 20',
  (given) => candidates(given),
);

function candidates({ norm, epsilon, restarts }: Given): AttackPlan[] {
  const [long, short] = [60, 12].map((steps) => mpgd({ norm, epsilon, steps, restarts: steps === 60 ? restarts : 1 }));
  const [fixed, brief] = [20, 8].map((steps) => pgd({ norm, epsilon, steps, restarts: steps === 20 ? restarts : 1 }));
  const byPgd = (goal: Objective) => plan(fixed, goal);
  const decaying = [
    ...SOFT_KMEANS.map((temperature) => softKmeans(long, temperature)),
    ...RETRIEVAL.map((options) => retrieval(long, options)),
  ];
  return [
    ...decaying.map((own) => ({ ...own, probe: short })),
    ...ALL.map((name) => ({ ...byPgd(objective(name)), probe: brief })),
  ];
}
