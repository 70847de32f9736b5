import { carliniWagner, objective } from '../../attacks/index.js';
import {
  ALL,
  onClusters,
  onRetrieval,
  others,
  plan,
  suitePart,
  TARGETED,
  TEMPERATURES,
  withApgd,
  withPgd,
} from './plan.js';

export const thoroughPart = suitePart(
  'thorough',
  'as standard, with 100 steps of momentum PGD, 50 of PGD and 3 restarts of both, APGD of 100 steps on four objectives, Square ' +
    'with 1000 queries, in l2 also Carlini and Wagner’s',
  (given) => [
    ...onClusters(given, 100, 3, TEMPERATURES),
    ...onRetrieval(given, 100, 3, 4),
    ...withPgd(given, 50, 3, ALL),
    ...withApgd(given, 100, ['retrieval', ...TARGETED, 'embedding-shift']),
    ...others(given, 20, 1000),
    ...(given.norm === 'l2' ? [plan(carliniWagner({ epsilon: given.epsilon }), objective('centroid-margin'))] : []),
  ],
);
