// depthwise_conv2d and its two gradients: every channel of NHWC images with a filter of its own [height, width, channels].
// out[n,y,x,c] = act(bias[c] + sum_{i,j} in[n, y*sh - pt + i*dh, x*sw - pl + j*dw, c] * filter[i,j,c]); geometry.out_channels is
// in_channels.
#pragma once

#include "../common.h"
#include "conv2d.h"

namespace eat {

struct DepthwiseConv2D {
  Conv2DGeometry geometry;
  const float* input = nullptr;
  const float* filter = nullptr;
  const float* bias = nullptr;  // [in_channels] or none
  Activation activation = Activation::none;
  float* out = nullptr;
};

struct DepthwiseConv2DBackpropInput {
  Conv2DGeometry geometry;
  const float* dy = nullptr;
  const float* filter = nullptr;
  float* out = nullptr;  // [n, in_height, in_width, channels]
};

struct DepthwiseConv2DBackpropFilter {
  Conv2DGeometry geometry;
  const float* input = nullptr;
  const float* dy = nullptr;
  float* out = nullptr;  // [filter_height, filter_width, channels]
};

}  // namespace eat
