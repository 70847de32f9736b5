// What the distance kernels know of rows on the device: norms and their range, exact differences.
#pragma once

#include <cmath>

#include "../device/simt.h"
#include "../host/variant.h"
#include "error_bounds.h"

namespace eat::cuda {

template <class T>
EAT_DEVICE T sum_of_warp(T v) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) v += shuffle_xor(v, mask);
  return v;
}

// A squared norm outside of this range may not be used in float.
EAT_DEVICE bool usable_norm(double squared) { return squared == 0 || (squared > 1e-30 && squared < 1e30); }

// From here on squares and their sums keep float's precision: what is lost below the normal range is too little to count.
constexpr float kLeastSquare = 1e-37f;

// Of all rows, as bits of double, which order as the numbers do where these are not negative, NaN above all.
struct Extremes {
  static constexpr int largest = 0, unusable = 1, not_finite = 2, size = 3;
};

EAT_DEVICE double largest_norm(Span<const unsigned long long> extremes) { return bits_double(extremes[Extremes::largest]); }

// By a warp: |sx x - sy y|^2 in double. The order of the sum depends on `depth` alone.
EAT_DEVICE double squared_difference_by_warp(Span<const float> x, Span<const float> y, index_t depth, double sx = 1, double sy = 1) {
  double sum = 0;
  for (index_t k = lane(); k < depth; k += kWarp) {
    const double t = sx * x[k] - sy * y[k];
    sum += t * t;
  }
  return sum_of_warp(sum);
}

EAT_DEVICE double product_by_warp(Span<const float> x, Span<const float> y, index_t depth) {
  double sum = 0;
  for (index_t k = lane(); k < depth; k += kWarp) sum += static_cast<double>(x[k]) * y[k];
  return sum_of_warp(sum);
}

// By one thread, one by one, as the JavaScript reference sums: decides near-ties exactly as it does. Zeros at the end of the rows
// change nothing.
EAT_DEVICE double squared_difference_in_order(Span<const float> x, Span<const float> y, index_t depth, double sx = 1, double sy = 1) {
  double sum = 0;
  for (index_t k = 0; k < depth; k++) {
    const double t = sx * x[k] - sy * y[k];
    sum += t * t;
  }
  return sum;
}

EAT_DEVICE double squared_norm_in_order(Span<const float> x, index_t depth) {
  double sum = 0;
  for (index_t k = 0; k < depth; k++) sum += static_cast<double>(x[k]) * x[k];
  return sum;
}

EAT_DEVICE double product_in_order(Span<const float> x, Span<const float> y, index_t depth) {
  double sum = 0;
  for (index_t k = 0; k < depth; k++) sum += static_cast<double>(x[k]) * y[k];
  return sum;
}

}  // namespace eat::cuda
