/** What each network kernel means, in double precision and plain loops. */
import type { ReferenceKernel } from '../../../../src/kernels/run-kernel.js';
import { adamWReference } from './adam-w.js';
import { argReduceReference } from './arg-reduce.js';
import { batchMomentsReference, batchNormGradientReference, batchNormReference } from './batch-norm.js';
import { binaryReference } from './binary.js';
import { compareValuesReference } from './compare-values.js';
import { convReluStackBackpropInputReference, convReluStackReference } from './conv-relu-stack.js';
import { conv2dBackpropFilterReference, conv2dBackpropInputReference, conv2dReference } from './conv2d.js';
import {
  depthwiseBackpropFilterReference,
  depthwiseBackpropInputReference,
  depthwiseReference,
} from './depthwise-conv2d.js';
import { gatherReference } from './gather.js';
import { logicalReference } from './logical.js';
import { matmulReference } from './matmul.js';
import { oneHotReference } from './one-hot.js';
import { pixelValuesReference } from './pixel-values.js';
import { pool2dGradientReference, pool2dReference } from './pool2d.js';
import { reduceReference } from './reduce.js';
import { resampleReference } from './resample.js';
import { segmentSumReference } from './segment-sum.js';
import { selectReference } from './select.js';
import { softmaxReference } from './softmax.js';
import { stridedCopyReference } from './strided-copy.js';
import { topKReference } from './top-k.js';
import { unaryReference } from './unary.js';

// biome-ignore lint/suspicious/noExplicitAny: each has its own arguments
export const ORACLES: Record<string, ReferenceKernel<any>> = {
  adamW: adamWReference,
  argReduce: argReduceReference,
  batchMoments: batchMomentsReference,
  batchNorm: batchNormReference,
  batchNormGradient: batchNormGradientReference,
  binary: binaryReference,
  compareValues: compareValuesReference,
  convReluStack: convReluStackReference,
  convReluStackBackpropInput: convReluStackBackpropInputReference,
  conv2d: conv2dReference,
  conv2dBackpropInput: conv2dBackpropInputReference,
  conv2dBackpropFilter: conv2dBackpropFilterReference,
  depthwiseConv2d: depthwiseReference,
  depthwiseConv2dBackpropInput: depthwiseBackpropInputReference,
  depthwiseConv2dBackpropFilter: depthwiseBackpropFilterReference,
  gather: gatherReference,
  logical: logicalReference,
  matmul: matmulReference,
  oneHot: oneHotReference,
  pixelValues: pixelValuesReference,
  pool2d: pool2dReference,
  pool2dGradient: pool2dGradientReference,
  reduce: reduceReference,
  resample: resampleReference,
  segmentSum: segmentSumReference,
  select: selectReference,
  softmax: softmaxReference,
  stridedCopy: stridedCopyReference,
  topK: topKReference,
  unary: unaryReference,
};
