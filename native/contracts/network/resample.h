// resample: an image of bytes at another size, as networks take it. Rows first, then columns, each to bytes again:
// out = (2^21 + sum of pixel * weight) >> 22. Weights are in 2^-22 and add up to about 1, so that a sum fits into 31 bits.
#pragma once

#include "../common.h"

namespace eat {

// What each of `count` places of one side is made of, `step` numbers a place: the first pixel, how many there are (1 to step - 2),
// the weight of each.
struct ResampledSide {
  index_t count = 0, step = 0;
  const std::int32_t* places = nullptr;  // [count, step]

  const std::int32_t* at(index_t place) const { return places + place * step; }
};

struct Resample {
  const std::uint8_t* pixels = nullptr;  // [height, width, channels]
  index_t height = 0, width = 0, channels = 3;  // 3, or 4 of which the last is left out
  ResampledSide across, down;
  std::uint8_t* out = nullptr;  // [down.count, across.count, 3]
};

}  // namespace eat
