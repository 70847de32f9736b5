// segment_sum: out[s,i] = sum of x[r,i] over the rows r with ids[r] == s, in double, in the order of the rows; 0 where there is
// none. Rows whose id lies outside [0, segments) count nowhere.
#pragma once

#include "../common.h"

namespace eat {

struct SegmentSum {
  const float* x = nullptr;           // [rows, inner]
  const std::int32_t* ids = nullptr;  // [rows]
  index_t rows = 0, inner = 1, segments = 0;
  float* out = nullptr;  // [segments, inner]
};

}  // namespace eat
