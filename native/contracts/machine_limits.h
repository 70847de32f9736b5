// What this machine can do at most, to hold kernels against: fused multiply-adds from registers, and STREAM's triad.
#pragma once

#include "common.h"

namespace eat {

struct MachineLimits {
  double fma_gflops = 0;   // 2 per fused multiply-add and lane, all threads of the run
  double triad_gbytes = 0;  // a = b + s * c, 12 bytes per element, arrays far beyond the caches
};

}  // namespace eat
