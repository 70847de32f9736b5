import { centroidMarginPart } from './centroid-margin.js';
import { centroidRandomTargetPart } from './centroid-random-target.js';
import { embeddingShiftPart } from './embedding-shift.js';
import { jointPairwisePart } from './joint-pairwise.js';
import { jointSetPart } from './joint-set.js';
import { proxyPart } from './proxy.js';
import { softKmeansPart } from './soft-kmeans.js';

/** Every objective that a configuration can name; a new one is one more line. */
export const OBJECTIVES = [
  embeddingShiftPart,
  proxyPart,
  centroidMarginPart,
  centroidRandomTargetPart,
  jointPairwisePart,
  jointSetPart,
  softKmeansPart,
] as const;
