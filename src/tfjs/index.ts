/** TensorFlow.js: backends to train on, and the kernels as operations on tensors. */
export {
  type AttackStepTensorOptions,
  attackStepTensor,
  type ProjectTensorOptions,
  projectTensor,
} from './attack-step.js';
export { stayOnBackend } from './backend-jobs.js';
export { type BatchNormTraining, type BatchNormTrainingAttrs, batchNormTraining } from './batch-norm-training.js';
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
export { type ConvReluAttrs, convRelu } from './conv-relu.js';
export { type ConvReluLayer, convReluStack } from './conv-relu-stack.js';
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
} from './convolve.js';
export { type NearestCentroidTensors, nearestCentroidTensor, pairwiseDistanceTensor } from './distances.js';
export { fromMatrix, toMatrix } from './matrix.js';
export { meanPool } from './mean-pool.js';
export {
  type KernelProfile,
  type KernelTime,
  type LayerTime,
  startKernelProfile,
  stopKernelProfile,
} from './native/kernel-clock.js';
export { coverage } from './native/register.js';
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
export { sumRelu } from './sum-relu.js';
export {
  resetTensorKernelCalls,
  type TensorKernelCalls,
  type TensorPath,
  tensorKernelCalls,
} from './tensor-kernel-calls.js';
export { tensorOf } from './tensor-schema.js';
export { unitRows } from './unit-rows.js';
