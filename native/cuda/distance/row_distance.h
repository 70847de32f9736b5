// The squared distance of two rows by direct difference: groups of lanes share a row, so that short rows waste no lanes and long
// ones are read in lines of memory.
#pragma once

#include "../device/simt.h"

namespace eat::cuda {

// Lanes that share a row of d values: a power of two, about four values each.
inline int lanes_per_row(index_t d) {
  int lanes = 1;
  while (lanes < kWarp && lanes * 4 < d) lanes *= 2;
  return lanes;
}

// The row that this thread's group of `lanes` works on; may lie beyond the last one.
EAT_DEVICE index_t row_of_group(int lanes) {
  return (static_cast<index_t>(block_x()) * block_dim_x() + thread_x()) / lanes;
}

// Sum over a group of `lanes`: all lanes of the warp take part, and all of the group get it.
template <class T>
EAT_DEVICE T sum_of_group(T value, int lanes) {
  for (int mask = lanes / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// This lane's part of |x - y|^2, products and sums in Real.
template <class Real>
EAT_DEVICE Real part_of_distance(Span<const float> x, index_t x_begin, Span<const float> y, index_t y_begin, index_t d, int lanes) {
  Real sum = 0;
  for (index_t j = lane() & (lanes - 1); j < d; j += lanes) {
    const Real difference = static_cast<Real>(x[x_begin + j]) - static_cast<Real>(y[y_begin + j]);
    sum = fma(difference, difference, sum);
  }
  return sum;
}

// Blocks of 256 threads for `rows` groups of `lanes`.
inline Grid grid_of_rows(index_t rows, int lanes) { return {static_cast<unsigned>((rows * lanes + 255) / 256), 1, 1}; }

// Sum of a block's values in a fixed order, for thread 0; `scratch` has a place per thread.
EAT_DEVICE double sum_of_block(double value, Shared<double> scratch) {
  scratch[thread_x()] = value;
  sync_block();
  for (int half_width = block_dim_x() / 2; half_width > 0; half_width /= 2) {
    if (thread_x() < half_width) {
      const double own = scratch[thread_x()], other = scratch[thread_x() + half_width];
      scratch[thread_x()] = own + other;
    }
    sync_block();
  }
  const double sum = scratch[0];
  return sum;
}

}  // namespace eat::cuda
