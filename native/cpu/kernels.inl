// Every kernel body, in the order of their needs. Included once per instruction set, after its vector layer.

#include "pack.inl"
#include "gemm.inl"
#include "rows.inl"
#include "pairwise_distance.inl"
#include "nearest_centroid.inl"
#include "nearest_neighbors.inl"
#include "centroid_means.inl"
#include "ball.inl"
#include "project_perturbation.inl"
#include "attack_step.inl"
#include "matmul.inl"
#include "kmeans_sums.inl"
#include "kmeans_pruning.inl"
#include "kmeans_bounds.inl"
#include "kmeans_short.inl"
#include "kmeans_assign.inl"
#include "seeding_distance.inl"
#include "kmeans_seeding.inl"
#include "kmeans.inl"
#include "patches.inl"
#include "laid_patches.inl"
#include "filter_gradient.inl"
#include "conv2d.inl"
#include "relu_mask.inl"
#include "conv2d_backprop_input.inl"
#include "conv_relu_stack.inl"
#include "unary.inl"
#include "binary.inl"
#include "columns.inl"
#include "reduce.inl"
#include "batch_norm.inl"
#include "pool2d.inl"
#include "depthwise_conv2d.inl"
#include "strided_copy.inl"
#include "adam_w.inl"
#include "compare_values.inl"
#include "logical.inl"
#include "select.inl"
#include "gather.inl"
#include "segment_sum.inl"
#include "one_hot.inl"
#include "arg_reduce.inl"
#include "top_k.inl"
#include "softmax.inl"
#include "machine_limits.inl"

inline constexpr KernelTable make_table(const char* isa) {
  return {isa,
          pairwise_distance,
          nearest_centroid,
          nearest_neighbors,
          centroid_means,
          kmeans,
          kmeans_plus_plus,
          project_perturbation,
          attack_step,
          matmul,
          conv2d,
          conv2d_backprop_input,
          conv2d_backprop_filter,
          conv_relu_stack,
          conv_relu_stack_backprop_input,
          unary,
          binary,
          reduce,
          batch_moments,
          batch_norm,
          batch_norm_gradient,
          pool2d,
          pool2d_gradient,
          depthwise_conv2d,
          depthwise_conv2d_backprop_input,
          depthwise_conv2d_backprop_filter,
          strided_copy,
          adam_w,
          compare_values,
          logical,
          select,
          gather,
          segment_sum,
          one_hot,
          arg_reduce,
          top_k,
          softmax,
          machine_limits};
}
