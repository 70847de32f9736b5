// Batch normalisation of x [rows, channels], per channel: y = act(scale * (x - mean) / sqrt(variance + epsilon) + offset).
#pragma once

#include "../common.h"
#include "matmul.h"

namespace eat {

// mean and (biased) variance over the rows.
struct BatchMoments {
  const float* x = nullptr;
  index_t rows = 0, channels = 0;
  float* mean = nullptr;
  float* variance = nullptr;
};

struct BatchNorm {
  const float* x = nullptr;
  index_t rows = 0, channels = 0;
  const float *mean = nullptr, *variance = nullptr, *scale = nullptr, *offset = nullptr;  // [channels]
  double epsilon = 0;
  Activation activation = Activation::none;
  float* out = nullptr;
};

// The gradient where mean and variance are those of x itself. With dz = dy where act passes it, else 0, and
// xhat = (x - mean) / sqrt(variance + epsilon): d_offset = sum dz; d_scale = sum dz xhat;
// dx = scale / sqrt(variance + epsilon) * (dz - d_offset / rows - xhat * d_scale / rows).
struct BatchNormGradient {
  BatchNorm forward;  // out unused
  const float* dy = nullptr;
  float *dx = nullptr, *d_scale = nullptr, *d_offset = nullptr;
};

}  // namespace eat
