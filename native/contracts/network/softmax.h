// softmax: out[r,c] = e^(x[r,c] - m) / sum over c of e^(x[r,c] - m), m = max x[r]; the differences in float, the sum in double.
// NaN throughout in a row that holds NaN or +Inf, or only -Inf.
#pragma once

#include "../common.h"

namespace eat {

struct Softmax {
  const float* x = nullptr;
  index_t rows = 0, cols = 0;
  float* out = nullptr;  // may be x itself
};

}  // namespace eat
