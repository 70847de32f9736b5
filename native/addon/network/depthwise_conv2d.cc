#include "../../contracts/network/depthwise_conv2d.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"
#include "geometry.h"

namespace eat::addon {
namespace {

index_t taps(const Conv2DGeometry& g) { return g.filter_height * g.filter_width * g.in_channels; }

}  // namespace

Napi::Value depthwise_conv2d(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    DepthwiseConv2D p;
    p.geometry = read_geometry(args);
    p.input = args.input<float>("input", input_size(p.geometry));
    p.filter = args.input<float>("filter", taps(p.geometry));
    if (args.has("bias")) p.bias = args.input<float>("bias", p.geometry.in_channels);
    p.activation = args.choice<Activation>("activation");
    p.out = args.output<float>("out", output_size(p.geometry));
    return {[p](const Run& run) { kernels().depthwise_conv2d(run, p); }, {}};
  });
}

Napi::Value depthwise_conv2d_backprop_input(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    DepthwiseConv2DBackpropInput p;
    p.geometry = read_geometry(args);
    p.dy = args.input<float>("dy", output_size(p.geometry));
    p.filter = args.input<float>("filter", taps(p.geometry));
    p.out = args.output<float>("out", input_size(p.geometry));
    return {[p](const Run& run) { kernels().depthwise_conv2d_backprop_input(run, p); }, {}};
  });
}

Napi::Value depthwise_conv2d_backprop_filter(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    DepthwiseConv2DBackpropFilter p;
    p.geometry = read_geometry(args);
    p.input = args.input<float>("input", input_size(p.geometry));
    p.dy = args.input<float>("dy", output_size(p.geometry));
    p.out = args.output<float>("out", taps(p.geometry));
    return {[p](const Run& run) { kernels().depthwise_conv2d_backprop_filter(run, p); }, {}};
  });
}

}  // namespace eat::addon
