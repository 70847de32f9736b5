// strided_copy: out[out_offset + sum_k i_k out_stride_k] = x[x_offset + sum_k i_k x_stride_k] for every index i of `shape`:
// slices, padding, concatenation, transposition, reversal. Strides may be 0 or negative; no place of `out` is written twice.
#pragma once

#include "../common.h"

namespace eat {

struct StridedCopy {
  static constexpr int axes = 6;
  const float* x = nullptr;
  index_t shape[axes] = {1, 1, 1, 1, 1, 1};
  index_t x_stride[axes] = {}, out_stride[axes] = {};
  index_t x_offset = 0, out_offset = 0;
  float* out = nullptr;
};

}  // namespace eat
