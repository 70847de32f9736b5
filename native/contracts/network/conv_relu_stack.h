// Convolutions with bias and relu, one after another, and the gradient by the first one's input. Of a layer inside only one bit per
// value is kept, what the gradient needs: whether relu let it pass.
// x_0 = in, x_{l+1} = max(0, conv2d(x_l, filter_l) + bias_l) (conv2d.h), out = x_L; NaN stays NaN and passes no gradient. Where there is
// a sum: x_L = max(0, conv2d(..) + bias + sum), the end of a residual block.
// d_L = dy, d_l = gradient of conv2d by its input, of d_{l+1} where x_{l+1} > 0 and 0 elsewhere; out = d_0. That of the sum is `masked`: dy
// where x_L > 0 and 0 elsewhere. Where the sum was the input (`residual`), out = d_0 + masked.
#pragma once

#include <vector>

#include "conv2d.h"

namespace eat {

// The batch of every layer is the same, and its input is of the shape of the output before.
struct ConvReluLayer {
  Conv2DGeometry geometry;
  const float* filter = nullptr;
  const float* bias = nullptr;  // [out_channels]; the gradient does without
};

// Of a layer [pixels][words], layers one behind another: bit c % 32 of word c / 32 says that the output's channel c is positive.
inline index_t passed_words(const Conv2DGeometry& g) { return (g.out_channels + 31) / 32; }
inline index_t passed_size(const Conv2DGeometry& g) { return g.batch * g.out_height * g.out_width * passed_words(g); }

struct ConvReluStack {
  std::vector<ConvReluLayer> layers;
  const float* input = nullptr;
  float* out = nullptr;            // the last layer's
  std::int32_t* passed = nullptr;  // the sum of all passed_size
  const float* sum = nullptr;      // like out, may be the input; or none
};

struct ConvReluStackBackpropInput {
  std::vector<ConvReluLayer> layers;
  const float* dy = nullptr;  // like the last layer's output
  const std::int32_t* passed = nullptr;
  float* out = nullptr;     // like the first layer's input
  bool residual = false;
  float* masked = nullptr;  // like dy, or not wanted
};

}  // namespace eat
