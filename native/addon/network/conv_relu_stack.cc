#include "../../contracts/network/conv_relu_stack.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"
#include "geometry.h"

namespace eat::addon {
namespace {

bool follows(const Conv2DGeometry& g, const Conv2DGeometry& before) {
  return g.batch == before.batch && g.in_height == before.out_height && g.in_width == before.out_width && g.in_channels == before.out_channels;
}

std::vector<ConvReluLayer> read_layers(const Napi::Env& env, Arguments& args, bool biased) {
  std::vector<ConvReluLayer> layers;
  args.each("layers", [&](Arguments& fields) {
    ConvReluLayer layer;
    layer.geometry = read_geometry(fields);
    layer.filter = fields.input<float>("filter", filter_size(layer.geometry));
    if (biased) layer.bias = fields.input<float>("bias", layer.geometry.out_channels);
    if (!layers.empty() && !follows(layer.geometry, layers.back().geometry)) throw Napi::TypeError::New(env, "Expected layers that follow each other.");
    layers.push_back(layer);
  });
  if (layers.empty()) throw Napi::TypeError::New(env, "Expected at least one layer.");
  return layers;
}

bool residual(const std::vector<ConvReluLayer>& layers) {
  const Conv2DGeometry &first = layers.front().geometry, &last = layers.back().geometry;
  return first.in_height == last.out_height && first.in_width == last.out_width && first.in_channels == last.out_channels;
}

index_t passed_size(const std::vector<ConvReluLayer>& layers) {
  index_t size = 0;
  for (const ConvReluLayer& layer : layers) size += eat::passed_size(layer.geometry);
  return size;
}

}  // namespace

Napi::Value conv_relu_stack(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env& env, Arguments& args) -> Prepared {
    ConvReluStack p;
    p.layers = read_layers(env, args, true);
    p.input = args.input<float>("input", input_size(p.layers.front().geometry));
    if (args.has("sum")) p.sum = args.input<float>("sum", output_size(p.layers.back().geometry));
    p.out = args.output<float>("out", output_size(p.layers.back().geometry));
    p.passed = args.output<std::int32_t>("passed", passed_size(p.layers));
    return {[p](const Run& run) { kernels().conv_relu_stack(run, p); }, {}};
  });
}

Napi::Value conv_relu_stack_backprop_input(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env& env, Arguments& args) -> Prepared {
    ConvReluStackBackpropInput p;
    p.layers = read_layers(env, args, false);
    p.dy = args.input<float>("dy", output_size(p.layers.back().geometry));
    p.passed = args.input<std::int32_t>("passed", passed_size(p.layers));
    p.residual = args.flag("residual");
    if (p.residual && !residual(p.layers)) throw Napi::TypeError::New(env, "Expected an input of the shape of the output.");
    p.out = args.output<float>("out", input_size(p.layers.front().geometry));
    if (args.has("masked")) p.masked = args.output<float>("masked", output_size(p.layers.back().geometry));
    return {[p](const Run& run) { kernels().conv_relu_stack_backprop_input(run, p); }, {}};
  });
}

}  // namespace eat::addon
