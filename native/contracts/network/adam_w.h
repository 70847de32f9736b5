// adam_w: one step of AdamW on `size` weights. m' = beta1 m + (1 - beta1) g, v' = beta2 v + (1 - beta2) g^2,
// w' = kept w - rate m' / (sqrt(v') + floor). Bias corrections are in kept, rate and floor. Results may be the operands.
#pragma once

#include "../common.h"

namespace eat {

struct AdamW {
  const float *weights = nullptr, *gradient = nullptr, *first = nullptr, *second = nullptr;
  index_t size = 0;
  double beta1 = 0, beta2 = 0;
  float kept = 1, rate = 0, floor = 0;
  float *out_weights = nullptr, *out_first = nullptr, *out_second = nullptr;
};

}  // namespace eat
