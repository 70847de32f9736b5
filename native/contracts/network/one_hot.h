// one_hot: out[r,c] = indices[r] == c ? on : off. A row whose index lies outside [0, depth) is all off.
#pragma once

#include "../common.h"

namespace eat {

struct OneHot {
  const std::int32_t* indices = nullptr;  // [rows]
  index_t rows = 0, depth = 0;
  float on = 1, off = 0;
  float* out = nullptr;  // [rows, depth]
};

}  // namespace eat
