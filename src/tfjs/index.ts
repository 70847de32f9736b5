/** TensorFlow.js: backends to train on, and the kernels as operations on tensors. */

export { stayOnBackend } from './backend-jobs.js';
export {
  type BackendName,
  type BackendStatus,
  backendChoice,
  backendReport,
  chooseBackend,
  onBackend,
  onPresentBackend,
} from './choose-backend.js';
export { constant } from './constant.js';
export { fromMatrix, toMatrix } from './matrix.js';
export {
  type KernelProfile,
  type KernelTime,
  type LayerTime,
  startKernelProfile,
  stopKernelProfile,
} from './native/kernel-clock.js';
export { coverage } from './native/register.js';
export {
  type AttackStepTensorOptions,
  attackStepTensor,
  type ProjectTensorOptions,
  projectTensor,
} from './ops/attack-step.js';
export { type BatchNormTraining, type BatchNormTrainingAttrs, batchNormTraining } from './ops/batch-norm-training.js';
export { type ConvReluAttrs, convRelu } from './ops/conv-relu.js';
export { type ConvReluLayer, convReluStack } from './ops/conv-relu-stack.js';
export {
  activated,
  averagePool,
  type ConvolveAttrs,
  convActivated,
  convolve,
  maxPool,
  maxPoolCeil,
  overhang,
  type Pad,
} from './ops/convolve.js';
export { type NearestCentroidTensors, nearestCentroidTensor, pairwiseDistanceTensor } from './ops/distances.js';
export { meanPool } from './ops/mean-pool.js';
export { movingAverage } from './ops/moving-average.js';
export { recomputed } from './ops/recomputed.js';
export { withSpreadBatch } from './ops/spread-batch.js';
export { sumRelu } from './ops/sum-relu.js';
export { unitRows } from './ops/unit-rows.js';
export { checkPixels, checkPixelValues, outsidePixels, pixelTensor } from './pixels.js';
export { faultsOf } from './reading/faults.js';
export { knownTensor, valuesOf } from './reading/known-values.js';
export {
  inMainMemory,
  inWords,
  isLater,
  Looks,
  look,
  type Readable,
  type Reading,
  readLater,
  readNow,
  readsAtOnce,
  settled,
  tidied,
} from './reading/readings.js';
export {
  resetTensorKernelCalls,
  type TensorKernelCalls,
  type TensorPath,
  tensorKernelCalls,
} from './tensor-kernel-calls.js';
export { tensorOf } from './tensor-schema.js';
