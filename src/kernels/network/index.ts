/** What the native tfjs backend runs networks on: kernels of the CPU addon alone, at once. Not exported by the package. */
export { type AdamWOptions, type AdamWResult, adamW } from './adam-w.js';
export { ARG_REDUCE_OPS, type ArgReduceOp, type ArgReduceOptions, argReduce } from './arg-reduce.js';
export {
  type BatchMomentsOptions,
  type BatchNormGradient,
  type BatchNormGradientOptions,
  type BatchNormOptions,
  batchMoments,
  batchNorm,
  batchNormGradient,
  type Moments,
} from './batch-norm.js';
export { BINARY_OPS, type BinaryOp, type BinaryOptions, binary } from './binary.js';
export { COMPARE_OPS, type CompareOp, type CompareValuesOptions, compareValues } from './compare-values.js';
export {
  type ConvReluStackBackpropInputOptions,
  type ConvReluStackLayer,
  type ConvReluStackOptions,
  type ConvReluStackResult,
  convReluStack,
  convReluStackBackpropInput,
  passedLength,
} from './conv-relu-stack.js';
export {
  type Conv2DBackpropFilterOptions,
  type Conv2DBackpropInputOptions,
  type Conv2DGeometry,
  type Conv2DOptions,
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropInput,
} from './conv2d.js';
export {
  type DepthwiseConv2DBackpropFilterOptions,
  type DepthwiseConv2DBackpropInputOptions,
  type DepthwiseConv2DOptions,
  depthwiseConv2d,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
} from './depthwise-conv2d.js';
export { type GatherOptions, gather } from './gather.js';
export { LOGICAL_OPS, type LogicalOp, type LogicalOptions, logical } from './logical.js';
export { type MatMulOptions, matmul } from './matmul.js';
export { type OneHotOptions, oneHot } from './one-hot.js';
export { type PixelValuesOptions, pixelValues } from './pixel-values.js';
export {
  POOL_OPS,
  type Pool2DGradientOptions,
  type Pool2DOptions,
  type PoolOp,
  pool2d,
  pool2dGradient,
} from './pool2d.js';
export { REDUCE_OPS, type ReduceOp, type ReduceOptions, reduce } from './reduce.js';
export { type ResampledSide, type ResampleOptions, resample } from './resample.js';
export { type SegmentSumOptions, segmentSum } from './segment-sum.js';
export { type SelectOptions, select } from './select.js';
export { type SoftmaxOptions, softmax } from './softmax.js';
export { type StridedCopyOptions, stridedCopy } from './strided-copy.js';
export { type LargestValues, type TopKOptions, topK } from './top-k.js';
export { UNARY_OPS, type UnaryOp, type UnaryOptions, unary } from './unary.js';
