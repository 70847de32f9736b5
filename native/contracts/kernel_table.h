// What one instruction set offers: the bodies of native/cpu/*.inl compiled for it.
#pragma once

#include "network/adam_w.h"
#include "network/arg_reduce.h"
#include "attack/attack_step.h"
#include "network/batch_norm.h"
#include "network/binary.h"
#include "clustering/centroid_means.h"
#include "network/compare_values.h"
#include "network/conv2d.h"
#include "network/conv_relu_stack.h"
#include "network/depthwise_conv2d.h"
#include "network/gather.h"
#include "clustering/kmeans.h"
#include "network/logical.h"
#include "machine_limits.h"
#include "network/matmul.h"
#include "distance/nearest_centroid.h"
#include "distance/nearest_neighbors.h"
#include "network/one_hot.h"
#include "distance/pairwise_distance.h"
#include "network/pool2d.h"
#include "attack/project_perturbation.h"
#include "network/reduce.h"
#include "network/segment_sum.h"
#include "network/select.h"
#include "network/softmax.h"
#include "network/strided_copy.h"
#include "network/top_k.h"
#include "network/unary.h"

namespace eat {

struct KernelTable {
  const char* isa;
  void (*pairwise_distance)(const Run&, const PairwiseDistance&);
  void (*nearest_centroid)(const Run&, const NearestCentroid&);
  void (*nearest_neighbors)(const Run&, const NearestNeighbors&);
  void (*centroid_means)(const Run&, const CentroidMeans&);
  void (*kmeans)(const Run&, const KMeans&);
  void (*kmeans_plus_plus)(const Run&, const KMeansPlusPlus&);
  void (*project_perturbation)(const Run&, const ProjectPerturbation&);
  void (*attack_step)(const Run&, const AttackStep&);
  void (*matmul)(const Run&, const MatMul&);
  void (*conv2d)(const Run&, const Conv2D&);
  void (*conv2d_backprop_input)(const Run&, const Conv2DBackpropInput&);
  void (*conv2d_backprop_filter)(const Run&, const Conv2DBackpropFilter&);
  void (*conv_relu_stack)(const Run&, const ConvReluStack&);
  void (*conv_relu_stack_backprop_input)(const Run&, const ConvReluStackBackpropInput&);
  void (*unary)(const Run&, const Unary&);
  void (*binary)(const Run&, const Binary&);
  void (*reduce)(const Run&, const Reduce&);
  void (*batch_moments)(const Run&, const BatchMoments&);
  void (*batch_norm)(const Run&, const BatchNorm&);
  void (*batch_norm_gradient)(const Run&, const BatchNormGradient&);
  void (*pool2d)(const Run&, const Pool2D&);
  void (*pool2d_gradient)(const Run&, const Pool2DGradient&);
  void (*depthwise_conv2d)(const Run&, const DepthwiseConv2D&);
  void (*depthwise_conv2d_backprop_input)(const Run&, const DepthwiseConv2DBackpropInput&);
  void (*depthwise_conv2d_backprop_filter)(const Run&, const DepthwiseConv2DBackpropFilter&);
  void (*strided_copy)(const Run&, const StridedCopy&);
  void (*adam_w)(const Run&, const AdamW&);
  void (*compare_values)(const Run&, const CompareValues&);
  void (*logical)(const Run&, const Logical&);
  void (*select)(const Run&, const Select&);
  void (*gather)(const Run&, const Gather&);
  void (*segment_sum)(const Run&, const SegmentSum&);
  void (*one_hot)(const Run&, const OneHot&);
  void (*arg_reduce)(const Run&, const ArgReduce&);
  void (*top_k)(const Run&, const TopK&);
  void (*softmax)(const Run&, const Softmax&);
  MachineLimits (*machine_limits)(const Run&);
};

// The table in use: EAT_DML_ISA by name, else the first that this processor runs. Throws std::invalid_argument where
// EAT_DML_ISA names one that is unknown or not supported here.
const KernelTable& kernels();

}  // namespace eat
