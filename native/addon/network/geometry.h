// The geometry of src/kernels/conv2d.ts, which convolution and pooling share, and what it says of sizes.
#pragma once

#include "../../contracts/network/conv2d.h"
#include "../call.h"

namespace eat::addon {

inline index_t input_size(const Conv2DGeometry& g) { return g.batch * g.in_height * g.in_width * g.in_channels; }
inline index_t output_size(const Conv2DGeometry& g) { return g.batch * g.out_height * g.out_width * g.out_channels; }
inline index_t filter_size(const Conv2DGeometry& g) {
  return g.filter_height * g.filter_width * g.in_channels * g.out_channels;
}

inline Conv2DGeometry read_geometry(Arguments& args) {
  Conv2DGeometry g;
  g.batch = args.integer("batch");
  g.in_height = args.integer("inHeight");
  g.in_width = args.integer("inWidth");
  g.in_channels = args.integer("inChannels");
  g.out_height = args.integer("outHeight");
  g.out_width = args.integer("outWidth");
  g.out_channels = args.integer("outChannels");
  g.filter_height = args.integer("filterHeight");
  g.filter_width = args.integer("filterWidth");
  g.stride_height = args.integer("strideHeight");
  g.stride_width = args.integer("strideWidth");
  g.pad_top = args.integer("padTop");
  g.pad_left = args.integer("padLeft");
  g.dilation_height = args.integer("dilationHeight");
  g.dilation_width = args.integer("dilationWidth");
  return g;
}

}  // namespace eat::addon
