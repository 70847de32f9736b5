/** The kernels: typed arrays in, typed arrays out, on the native addon or in plain JavaScript. Loads no tfjs. */
export { type AttackStepOptions, attackStep, attackStepSync } from './attack-step.js';
export { type CentroidMeansOptions, centroidMeans, centroidMeansSync, type LabelMeans } from './centroid-means.js';
export { type DeviceMatrix, uploadMatrix } from './device-matrix.js';
export { type DeviceInfo, devices } from './devices.js';
export { type KMeansOptions, type KMeansProgress, type KMeansResult, kmeans, kmeansSync } from './kmeans.js';
export type { AsyncKernelOptions, DeviceName, KernelOptions, Matrix, Metric, Norm } from './matrix.js';
export { type NearestCentroids, nearestCentroid, nearestCentroidSync } from './nearest-centroid.js';
export {
  type NearestNeighborsOptions,
  type Neighbors,
  nearestNeighbors,
  nearestNeighborsSync,
} from './nearest-neighbors.js';
export { type PairwiseDistanceOptions, pairwiseDistance, pairwiseDistanceSync } from './pairwise-distance.js';
export {
  type ProjectPerturbationOptions,
  projectPerturbation,
  projectPerturbationSync,
} from './project-perturbation.js';
