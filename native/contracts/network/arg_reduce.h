// arg_reduce: out[o,i] = the r of the largest (max) or smallest (min) x[o,r,i], the lowest at ties. As a scan from r = 0 finds it:
// a NaN is passed over, but one at r = 0 stays, and gives 0.
#pragma once

#include "../common.h"

namespace eat {

enum class ArgReduceOp : int { max = 0, min = 1 };

struct ArgReduce {
  ArgReduceOp op = ArgReduceOp::max;
  const float* x = nullptr;
  index_t outer = 0, reduced = 0, inner = 0;  // 1 <= reduced < 2^31
  std::int32_t* out = nullptr;
};

}  // namespace eat
