// Max and average pooling over NHWC images, and their gradients, meaning what TensorFlow.js means by them:
// positions outside the image take no part; max starts at -Inf and never takes a NaN; the first maximum gets the gradient;
// the average is over the positions inside, but its gradient is dy / (window_height * window_width) everywhere.
// Every window has a position inside the image, as TensorFlow demands (padding less than the window).
#pragma once

#include "conv2d.h"

namespace eat {

enum class PoolOp : int { average = 0, max = 1 };

// filter_height x filter_width of the geometry is the window, in_channels = out_channels.
struct Pool2D {
  Conv2DGeometry geometry;
  PoolOp op = PoolOp::max;
  const float* x = nullptr;
  float* out = nullptr;
};

struct Pool2DGradient {
  Conv2DGeometry geometry;
  PoolOp op = PoolOp::max;
  const float* x = nullptr;  // max only
  const float* dy = nullptr;
  float* dx = nullptr;
};

}  // namespace eat
