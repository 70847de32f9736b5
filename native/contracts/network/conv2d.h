// conv2d and its two gradients: NHWC images, HWIO filters, cross-correlation, zero padding.
// out[n,y,x,o] = act(bias[o] + sum_{i,j,c} in[n, y*sh - pt + i*dh, x*sw - pl + j*dw, c] * filter[i,j,c,o])
// On the CPU all three go by Winograd's tiles of 2 x 2 or 4 x 4 outputs where 3 x 3 filters have stride and dilation 1 and that is
// quicker, by the image's size and the channels alone (EAT_DML_WINOGRAD=off: never). With values of one size and up to 512 channels to a
// sum, or 2^16 output pixels to the filter's gradient, no result is off by more than a share of the results' root mean square (before bias
// and activation): 1e-5 in direct products and tiles of 2 x 2, 5e-5 in tiles of 4 x 4. Values of other sizes count as the largest that
// the tile reads, (O + 2) x (O + 2) pixels for O x O outputs. NaN, Inf and what overflows (from 1e35 on it may where direct products do
// not) make the tile's other outputs NaN, too.
#pragma once

#include "../common.h"
#include "matmul.h"

namespace eat {

struct Conv2DGeometry {
  index_t batch = 0, in_height = 0, in_width = 0, in_channels = 0, out_height = 0, out_width = 0, out_channels = 0;
  index_t filter_height = 0, filter_width = 0, stride_height = 1, stride_width = 1, pad_top = 0, pad_left = 0;
  index_t dilation_height = 1, dilation_width = 1;
};

struct Conv2D {
  Conv2DGeometry geometry;
  const float* input = nullptr;
  const float* filter = nullptr;
  const float* bias = nullptr;  // [out_channels] or null
  Activation activation = Activation::none;
  float* out = nullptr;
};

struct Conv2DBackpropInput {
  Conv2DGeometry geometry;
  const float* dy = nullptr;  // [n, out_height, out_width, out_channels]
  const float* filter = nullptr;
  float* out = nullptr;  // [n, in_height, in_width, in_channels]
};

struct Conv2DBackpropFilter {
  Conv2DGeometry geometry;
  const float* input = nullptr;
  const float* dy = nullptr;
  float* out = nullptr;  // [filter_height, filter_width, in_channels, out_channels]
};

}  // namespace eat
