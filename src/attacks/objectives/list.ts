/** Every objective that a configuration can name; a new one is one more line. */
export { centroidMarginPart } from './centroid-margin.js';
export { centroidRandomTargetPart } from './centroid-random-target.js';
export { embeddingShiftPart } from './embedding-shift.js';
export { jointPairwisePart } from './joint-pairwise.js';
export { jointSetPart } from './joint-set.js';
export { proxyPart } from './proxy.js';
export { retrievalPart } from './retrieval.js';
export { softKmeansPart } from './soft-kmeans.js';
