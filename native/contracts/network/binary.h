// binary: out[i,j,k,l] = op(a[i,j,k,l], b[i,j,k,l]), a stride of 0 repeating an operand along that axis.
// maximum and minimum give NaN where either operand is NaN. relu_grad: b > 0 ? a : 0, of a gradient a and a result b of relu;
// relu6_grad: 0 < b && b < 6 ? a : 0, of relu6.
// add_relu: max(0, a + b), NaN where the sum is.
// pow gives NaN where b is NaN, and where a is 1 or -1 and b infinite; pow(a, 0) is 1 for every a.
#pragma once

#include "../common.h"

namespace eat {

enum class BinaryOp : int {
  add = 0, div = 1, maximum = 2, minimum = 3, mul = 4, squared_difference = 5, sub = 6, relu_grad = 7, pow = 8,
  add_relu = 9, relu6_grad = 10
};

struct Binary {
  BinaryOp op = BinaryOp::add;
  const float* a = nullptr;
  const float* b = nullptr;
  index_t shape[4] = {1, 1, 1, 1};
  index_t a_stride[4] = {0, 0, 0, 0}, b_stride[4] = {0, 0, 0, 0};  // elements; the last 0 or 1
  float* out = nullptr;  // contiguous
};

}  // namespace eat
