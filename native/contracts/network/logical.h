// logical: out[i] = op of flags, each 0 or 1; logical_not reads a only.
#pragma once

#include "../common.h"

namespace eat {

enum class LogicalOp : int { logical_and = 0, logical_not = 1, logical_or = 2 };

struct Logical {
  LogicalOp op = LogicalOp::logical_and;
  const std::uint8_t* a = nullptr;
  const std::uint8_t* b = nullptr;  // null for logical_not
  index_t size = 0;
  std::uint8_t* out = nullptr;
};

}  // namespace eat
