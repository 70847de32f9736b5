import { carliniWagner, objective } from '../../attacks/index.js';
import { ALL, others, plan, suitePart, TARGETED, withApgd, withPgd } from './plan.js';

export const thoroughPart = suitePart(
  'thorough',
  'as standard, with 50 steps and 3 restarts, APGD of 100 steps on four objectives, Square with 1000 queries, in l2 ' +
    'also Carlini and Wagner’s',
  (given) => [
    ...withPgd(given, 50, 3, ALL),
    ...withApgd(given, 100, [...TARGETED, 'embedding-shift', 'soft-kmeans']),
    ...others(given, 20, 1000),
    ...(given.norm === 'l2' ? [plan(carliniWagner({ epsilon: given.epsilon }), objective('centroid-margin'))] : []),
  ],
);
