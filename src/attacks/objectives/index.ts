import { z } from 'zod';
import { parse } from '../../options.js';
import type { Objective } from '../objective.js';
import { centroidMargin } from './centroid-margin.js';
import { centroidRandomTarget } from './centroid-random-target.js';
import { embeddingShift } from './embedding-shift.js';
import { jointPairwise } from './joint-pairwise.js';
import { jointSet } from './joint-set.js';
import { proxy } from './proxy.js';
import { softKmeans } from './soft-kmeans.js';

const OBJECTIVES = [embeddingShift, proxy, centroidMargin, centroidRandomTarget, jointPairwise, jointSet, softKmeans];

/** The names that {@link objective} knows. */
export const OBJECTIVE_NAMES: readonly string[] = OBJECTIVES.map(({ name }) => name);

const objectiveName = z.enum(OBJECTIVE_NAMES as [string, ...string[]]);

/** The objective of that name; ERR_ARGUMENT listing the known ones otherwise. */
export function objective(name: string): Objective {
  parse(objectiveName, name, 'objective');
  return OBJECTIVES.find((candidate) => candidate.name === name)!;
}
