// Which variant of a kernel runs. They are numbered in the order of the ladder, and every one is kept, forceable and tested:
// 1 naive, the reference on the device; 2 shared-memory tiles; 3 register tiles fed by cp.async; 4 tensor cores, 3xTF32;
// 5 wgmma and bulk copies, on compute capability 9.0 where the kernels were built for 90a.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "../device/simt.h"

namespace eat::cuda {

constexpr int kVariants = 5;

// Up to this many dimensions squared differences are summed directly, which costs no more and does not cancel.
constexpr index_t kDirectDimensions = 16;

// EAT_DML_CUDA_VARIANT as a number, 0 where it is not set.
inline int forced_variant() {
  const char* text = std::getenv("EAT_DML_CUDA_VARIANT");
  if (text == nullptr || *text == 0) return 0;
  if (text[0] >= '1' && text[0] <= '0' + kVariants && text[1] == 0) return text[0] - '0';
  throw std::invalid_argument("Expected 1 to " + std::to_string(kVariants) + " for EAT_DML_CUDA_VARIANT but received " + text + ".");
}

// For results in `columns` columns over d dimensions; the number of rows must not matter, or a row's bits would depend on how many
// there are with it. Never 1: it is there to be compared with. A tile of 128 columns that would be mostly empty wastes more than it
// saves; directly summed differences are no product, so the tensor cores cannot take them.
inline int choose_variant(index_t columns, index_t d) {
  if (const int forced = forced_variant()) {
    if (forced == 5 && !has_warpgroups()) throw std::invalid_argument("EAT_DML_CUDA_VARIANT=5 needs a GPU of compute capability 9.0, and kernels built for 90a.");
    return forced;
  }
  if (columns <= 16) return 2;
  if (d <= kDirectDimensions) return 3;
  return has_warpgroups() ? 5 : 4;
}

}  // namespace eat::cuda
