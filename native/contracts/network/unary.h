// unary: out[i] = op(x[i]). NaN gives NaN, but for sign(NaN) = 0; sign(0) = 0.
// leaky_relu: x < 0 ? alpha x : x; step: x > 0 ? 1 : alpha; clip: onto [alpha, beta].
#pragma once

#include "../common.h"

namespace eat {

enum class UnaryOp : int {
  abs = 0, clip = 1, exp = 2, leaky_relu = 3, log = 4, log1p = 5, neg = 6, reciprocal = 7, relu = 8, relu6 = 9, rsqrt = 10,
  sigmoid = 11, sign = 12, sqrt = 13, square = 14, step = 15, tanh = 16
};

struct Unary {
  UnaryOp op = UnaryOp::relu;
  const float* x = nullptr;
  index_t size = 0;
  float alpha = 0, beta = 0;
  float* out = nullptr;  // may be x itself
};

}  // namespace eat
