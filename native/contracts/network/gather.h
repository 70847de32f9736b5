// gather: out[b,o,j,i] = x[b,o,indices[b,j],i]. An index outside [0, size) gives zeros.
#pragma once

#include "../common.h"

namespace eat {

struct Gather {
  const float* x = nullptr;               // [batch, outer, size, inner]
  const std::int32_t* indices = nullptr;  // [batch, count]
  index_t batch = 1, outer = 1, size = 0, inner = 1, count = 0;
  float* out = nullptr;  // [batch, outer, count, inner]
};

}  // namespace eat
