// pixel_values: out[i] = bytes[i] / 255, rounded once.
#pragma once

#include "../common.h"

namespace eat {

struct PixelValues {
  const std::uint8_t* bytes = nullptr;  // [size]
  index_t size = 0;
  float* out = nullptr;  // [size]
};

}  // namespace eat
