// matmul: out[b] = act(op(a[b]) op(b[b]) + bias), op being the transpose where asked for; float32, row-major.
#pragma once

#include "../common.h"

namespace eat {

enum class Activation : int { none = 0, relu = 1, relu6 = 2 };

struct MatMul {
  const float* a = nullptr;  // [B,m,k], or [B,k,m] when transpose_a
  const float* b = nullptr;  // [B,k,n], or [B,n,k] when transpose_b
  const float* bias = nullptr;  // [n] or null
  float* out = nullptr;         // [B,m,n]
  index_t batch = 1, m = 0, n = 0, k = 0;
  index_t a_stride = 0, b_stride = 0;  // elements between matrices; 0 broadcasts one matrix to the batch
  bool transpose_a = false, transpose_b = false;
  Activation activation = Activation::none;
};

}  // namespace eat
