// reduce: out[o,i] = op over r of x[o,r,i]. Sums are made of fixed blocks and added in order, in double between blocks.
// max and min give NaN where any of the values is NaN.
#pragma once

#include "../common.h"

namespace eat {

enum class ReduceOp : int { max = 0, mean = 1, min = 2, sum = 3 };

struct Reduce {
  ReduceOp op = ReduceOp::sum;
  const float* x = nullptr;
  index_t outer = 0, reduced = 0, inner = 0;  // reduced >= 1
  float* out = nullptr;
};

}  // namespace eat
