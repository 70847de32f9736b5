#include "../contracts/conv2d.h"

#include "../cpu/kernel_table.h"
#include "call.h"

namespace eat::addon {
namespace {

index_t input_size(const Conv2DGeometry& g) { return g.batch * g.in_height * g.in_width * g.in_channels; }
index_t output_size(const Conv2DGeometry& g) { return g.batch * g.out_height * g.out_width * g.out_channels; }
index_t filter_size(const Conv2DGeometry& g) {
  return g.filter_height * g.filter_width * g.in_channels * g.out_channels;
}

// The geometry of src/kernels/conv2d.ts.
Conv2DGeometry read_geometry(Arguments& args) {
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

}  // namespace

Napi::Value conv2d(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Conv2D p;
    p.geometry = read_geometry(args);
    p.input = args.input<float>("input", input_size(p.geometry));
    p.filter = args.input<float>("filter", filter_size(p.geometry));
    if (args.has("bias")) p.bias = args.input<float>("bias", p.geometry.out_channels);
    p.activation = args.choice<Activation>("activation");
    p.out = args.output<float>("out", output_size(p.geometry));
    return {[p](const Run& run) { kernels().conv2d(run, p); }, {}};
  });
}

Napi::Value conv2d_backprop_input(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Conv2DBackpropInput p;
    p.geometry = read_geometry(args);
    p.dy = args.input<float>("dy", output_size(p.geometry));
    p.filter = args.input<float>("filter", filter_size(p.geometry));
    p.out = args.output<float>("out", input_size(p.geometry));
    return {[p](const Run& run) { kernels().conv2d_backprop_input(run, p); }, {}};
  });
}

Napi::Value conv2d_backprop_filter(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Conv2DBackpropFilter p;
    p.geometry = read_geometry(args);
    p.input = args.input<float>("input", input_size(p.geometry));
    p.dy = args.input<float>("dy", output_size(p.geometry));
    p.out = args.output<float>("out", filter_size(p.geometry));
    return {[p](const Run& run) { kernels().conv2d_backprop_filter(run, p); }, {}};
  });
}

}  // namespace eat::addon
