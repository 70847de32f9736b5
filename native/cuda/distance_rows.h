// What the distance kernels know of rows on the device: exact differences, error bounds, where the expanded form cancels.
#pragma once

#include <algorithm>
#include <cmath>

#include "simt.h"
#include "variant.h"

namespace eat::cuda {

template <class T>
EAT_DEVICE T sum_of_warp(T v) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) v += shuffle_xor(v, mask);
  return v;
}

// A squared norm outside of this range may not be used in float.
EAT_DEVICE bool usable_norm(double squared) { return squared == 0 || (squared > 1e-30 && squared < 1e30); }

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

EAT_DEVICE double product_in_order(Span<const float> x, Span<const float> y, index_t depth) {
  double sum = 0;
  for (index_t k = 0; k < depth; k++) sum += static_cast<double>(x[k]) * y[k];
  return sum;
}

// A bound on the error of x.y as a share of |x||y|, with room for the few roundings that make a distance of it. Variants 1 to 3:
// d chained fused multiply-adds. Variant 4: 12 * 2^-24 for what the split drops, 20 * 2^-24 for the unit's truncating additions of
// 8 dimensions (10 of up to 2^-23 each), one rounding addition per 8 dimensions. Variant 5: 12 again, 24 for 16 dimensions (11 per
// 8: 9 terms cut and the sum; the small terms' share), one addition per 16. Halves below 2^-14 of 2^14 add less than 2^-28.
inline double rounding_share(int variant, index_t d) {
  const double chained = static_cast<double>(d);
  if (variant == 5) return (56 + chained / 16) * 0x1p-24;
  return (variant == 4 ? 48 + chained / 8 : 16 + chained) * 0x1p-24;
}

// Below this share of |x|^2 + |y|^2 the expanded form's rounding error, which grows with the square root of the additions, may pass
// 1e-5 of the distance, and the difference is taken directly.
inline float cancellation_share(int variant, index_t d) {
  const float root = std::sqrt(static_cast<float>(d));
  return variant >= 4 ? std::max(1.0f / 8, 0.004f * root) : std::max(1.0f / 32, 0.009f * root);
}

}  // namespace eat::cuda
