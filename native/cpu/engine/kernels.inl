// Every kernel body, in the order of their needs. Included once per instruction set, after its vector layer.

#include "pack.inl"
#include "gemm.inl"
#include "rows.inl"
#include "../distance/pairwise_distance.inl"
#include "../distance/nearest_centroid.inl"
#include "../distance/nearest_neighbors.inl"
#include "../clustering/centroid_means.inl"
#include "../attack/ball.inl"
#include "../attack/project_perturbation.inl"
#include "../attack/attack_step.inl"
#include "../network/matmul.inl"
#include "../clustering/kmeans_sums.inl"
#include "../clustering/kmeans_pruning.inl"
#include "../clustering/kmeans_bounds.inl"
#include "../clustering/kmeans_short.inl"
#include "../clustering/kmeans_assign.inl"
#include "../clustering/seeding_distance.inl"
#include "../clustering/kmeans_seeding.inl"
#include "../clustering/kmeans.inl"
#include "patches.inl"
#include "laid_patches.inl"
#include "../network/filter_gradient.inl"
#include "../network/conv2d.inl"
#include "../network/relu_mask.inl"
#include "../network/conv2d_backprop_input.inl"
#include "../network/conv_relu_stack.inl"
#include "../network/unary.inl"
#include "../network/binary.inl"
#include "columns.inl"
#include "../network/reduce.inl"
#include "../network/batch_norm.inl"
#include "../network/pool2d.inl"
#include "../network/depthwise_conv2d.inl"
#include "../network/strided_copy.inl"
#include "../network/adam_w.inl"
#include "../network/compare_values.inl"
#include "../network/logical.inl"
#include "../network/select.inl"
#include "../network/gather.inl"
#include "../network/segment_sum.inl"
#include "../network/one_hot.inl"
#include "../network/arg_reduce.inl"
#include "../network/top_k.inl"
#include "../network/softmax.inl"
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
