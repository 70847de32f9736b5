// compare_values: out[i,j,k,l] = a[i,j,k,l] op b[i,j,k,l] ? 1 : 0, broadcast as in binary. With a NaN only not_equal is true.
#pragma once

#include "../common.h"

namespace eat {

enum class CompareOp : int { equal = 0, greater = 1, greater_equal = 2, less = 3, less_equal = 4, not_equal = 5 };

struct CompareValues {
  CompareOp op = CompareOp::equal;
  const float* a = nullptr;
  const float* b = nullptr;
  index_t shape[4] = {1, 1, 1, 1};
  index_t a_stride[4] = {0, 0, 0, 0}, b_stride[4] = {0, 0, 0, 0};  // elements; the last 0 or 1
  std::uint8_t* out = nullptr;  // contiguous
};

}  // namespace eat
