/** The kernels: typed arrays in, typed arrays out, on the native addon or in plain JavaScript. Loads no tfjs. */
export { type AdamWOptions, type AdamWResult, adamW, adamWSync } from './adam-w.js';
export { ARG_REDUCE_OPS, type ArgReduceOp, type ArgReduceOptions, argReduce, argReduceSync } from './arg-reduce.js';
export { type AttackStepOptions, attackStep, attackStepSync } from './attack-step.js';
export {
  type BatchMomentsOptions,
  type BatchNormGradient,
  type BatchNormGradientOptions,
  type BatchNormOptions,
  batchMoments,
  batchMomentsSync,
  batchNorm,
  batchNormGradient,
  batchNormGradientSync,
  batchNormSync,
  type Moments,
} from './batch-norm.js';
export { BINARY_OPS, type BinaryOp, type BinaryOptions, binary, binarySync } from './binary.js';
export { type CentroidMeansOptions, centroidMeans, centroidMeansSync, type LabelMeans } from './centroid-means.js';
export {
  COMPARE_OPS,
  type CompareOp,
  type CompareValuesOptions,
  compareValues,
  compareValuesSync,
} from './compare-values.js';
export {
  type ConvReluStackBackpropInputOptions,
  type ConvReluStackLayer,
  type ConvReluStackOptions,
  type ConvReluStackResult,
  convReluStack,
  convReluStackBackpropInput,
  convReluStackBackpropInputSync,
  convReluStackSync,
  passedLength,
} from './conv-relu-stack.js';
export {
  type Conv2DBackpropFilterOptions,
  type Conv2DBackpropInputOptions,
  type Conv2DGeometry,
  type Conv2DOptions,
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropFilterSync,
  conv2dBackpropInput,
  conv2dBackpropInputSync,
  conv2dSync,
} from './conv2d.js';
export {
  type DepthwiseConv2DBackpropFilterOptions,
  type DepthwiseConv2DBackpropInputOptions,
  type DepthwiseConv2DOptions,
  depthwiseConv2d,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropFilterSync,
  depthwiseConv2dBackpropInput,
  depthwiseConv2dBackpropInputSync,
  depthwiseConv2dSync,
} from './depthwise-conv2d.js';
export { type DeviceMatrix, uploadMatrix } from './device-matrix.js';
export { type DeviceInfo, devices } from './devices.js';
export { type GatherOptions, gather, gatherSync } from './gather.js';
export { type KMeansOptions, type KMeansProgress, type KMeansResult, kmeans, kmeansSync } from './kmeans.js';
export { LOGICAL_OPS, type LogicalOp, type LogicalOptions, logical, logicalSync } from './logical.js';
export { type MachineLimits, machineLimits } from './machine-limits.js';
export { type MatMulOptions, matmul, matmulSync } from './matmul.js';
export type { AsyncKernelOptions, DeviceName, KernelOptions, Matrix, Metric, Norm } from './matrix.js';
export { type NearestCentroids, nearestCentroid, nearestCentroidSync } from './nearest-centroid.js';
export {
  type NearestNeighborsOptions,
  type Neighbors,
  nearestNeighbors,
  nearestNeighborsSync,
} from './nearest-neighbors.js';
export { type OneHotOptions, oneHot, oneHotSync } from './one-hot.js';
export { type PairwiseDistanceOptions, pairwiseDistance, pairwiseDistanceSync } from './pairwise-distance.js';
export {
  POOL_OPS,
  type Pool2DGradientOptions,
  type Pool2DOptions,
  type PoolOp,
  pool2d,
  pool2dGradient,
  pool2dGradientSync,
  pool2dSync,
} from './pool2d.js';
export {
  type ProjectPerturbationOptions,
  projectPerturbation,
  projectPerturbationSync,
} from './project-perturbation.js';
export { REDUCE_OPS, type ReduceOp, type ReduceOptions, reduce, reduceSync } from './reduce.js';
export { type SegmentSumOptions, segmentSum, segmentSumSync } from './segment-sum.js';
export { type SelectOptions, select, selectSync } from './select.js';
export { type SoftmaxOptions, softmax, softmaxSync } from './softmax.js';
export { type StridedCopyOptions, stridedCopy, stridedCopySync } from './strided-copy.js';
export { type LargestValues, type TopKOptions, topK, topKSync } from './top-k.js';
export { UNARY_OPS, type UnaryOp, type UnaryOptions, unary, unarySync } from './unary.js';
