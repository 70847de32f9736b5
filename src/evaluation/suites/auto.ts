import { mpgd, type Objective, objective, pgd } from '../../attacks/index.js';
import { ALL, type AttackPlan, type Given, plan, softKmeans, suitePart } from './plan.js';

/** Wider than those of the other suites: they are tried on a sample first. */
const SOFT_KMEANS = [0.03, 0.05, 0.075, 0.1, 0.14, 0.2, 0.3];
const RETRIEVAL = [0.005, 0.02, 0.08];

export const autoPart = suitePart(
  'auto',
  'tries every objective, soft-kmeans and retrieval at many temperatures, on a sample, and runs those that do most to this model: ' +
    'momentum PGD of 60 steps, PGD of 20',
  (given) => candidates(given),
);

function candidates({ norm, epsilon, restarts }: Given): AttackPlan[] {
  const [long, short] = [60, 12].map((steps) => mpgd({ norm, epsilon, steps, restarts: steps === 60 ? restarts : 1 }));
  const [fixed, brief] = [20, 8].map((steps) => pgd({ norm, epsilon, steps, restarts: steps === 20 ? restarts : 1 }));
  const retrieval = (temperature: number) => {
    const own = plan(long, objective('retrieval', { temperature }));
    return { ...own, name: `${own.name}-${temperature}` };
  };
  const byPgd = (goal: Objective) => plan(fixed, goal);
  return [
    ...[...SOFT_KMEANS.map((t) => softKmeans(long, t)), ...RETRIEVAL.map(retrieval)].map((own) => ({
      ...own,
      probe: short,
    })),
    ...ALL.map((name) => ({ ...byPgd(objective(name)), probe: brief })),
  ];
}
