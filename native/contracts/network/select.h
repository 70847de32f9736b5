// select: out[r,i] = condition[r] == 1 ? t[r,i] : e[r,i]. Bits are moved, never interpreted.
#pragma once

#include "../common.h"

namespace eat {

struct Select {
  const std::uint8_t* condition = nullptr;  // [rows]
  const float* t = nullptr;                 // [rows, inner]
  const float* e = nullptr;                 // [rows, inner]
  index_t rows = 0, inner = 1;
  float* out = nullptr;
};

}  // namespace eat
