/** What `eat-dml` offers; the kernels are also exported by `eat-dml/kernels`, which loads no tfjs. */
export * from './attacks/index.js';
export { exportLayers, exportWeights, loadEnsemble } from './checkpoints/index.js';
export type { ClassNames } from './class-names.js';
export * from './clustering/index.js';
export * from './config/index.js';
export * from './data/index.js';
export * from './distributed/index.js';
export { EatDmlError, type ErrorCode } from './errors.js';
export * from './evaluation/index.js';
export * from './kernels/index.js';
export type { ImageProgress, LongWork } from './long-work.js';
export * from './losses/index.js';
export * from './models/index.js';
export type { NpyArray } from './npy.js';
export * from './report/index.js';
export {
  type AttackStepTensorOptions,
  attackStepTensor,
  type BackendName,
  type BackendStatus,
  chooseBackend,
  coverage,
  fromMatrix,
  type NearestCentroidTensors,
  nearestCentroidTensor,
  type ProjectTensorOptions,
  pairwiseDistanceTensor,
  projectTensor,
  resetTensorKernelCalls,
  type TensorKernelCalls,
  type TensorPath,
  tensorKernelCalls,
  toMatrix,
  unitRows,
} from './tfjs/index.js';
export * from './training/index.js';
