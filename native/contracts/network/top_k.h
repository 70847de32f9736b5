// top_k: the k largest values of each row and their columns, the largest first, the lowest column first at ties. NaN counts as
// larger than every number.
#pragma once

#include "../common.h"

namespace eat {

struct TopK {
  const float* x = nullptr;  // [rows, cols]
  index_t rows = 0, cols = 0, k = 0;  // 1 <= k <= cols < 2^31
  float* values = nullptr;            // [rows, k]
  std::int32_t* indices = nullptr;    // [rows, k]
};

}  // namespace eat
