// How exact a variant's product of two rows is: what certified labels and the choice of exact differences rest on. No CUDA in here:
// test/native/gpu_smoke holds the kernels to it.
#pragma once

#include <algorithm>
#include <cmath>

#include "../../contracts/common.h"

namespace eat::cuda {

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
