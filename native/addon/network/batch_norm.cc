#include "../../contracts/network/batch_norm.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {
namespace {

BatchNorm read_batch_norm(Arguments& args) {
  BatchNorm p;
  p.rows = args.integer("rows");
  p.channels = args.integer("channels");
  p.x = args.input<float>("x", p.rows * p.channels);
  p.mean = args.input<float>("mean", p.channels);
  p.variance = args.input<float>("variance", p.channels);
  p.scale = args.input<float>("scale", p.channels);
  p.offset = args.input<float>("offset", p.channels);
  p.epsilon = args.number("epsilon");
  p.activation = args.choice<Activation>("activation");
  return p;
}

}  // namespace

Napi::Value batch_moments(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    BatchMoments p;
    p.rows = args.integer("rows");
    p.channels = args.integer("channels");
    p.x = args.input<float>("x", p.rows * p.channels);
    p.mean = args.output<float>("mean", p.channels);
    p.variance = args.output<float>("variance", p.channels);
    return {[p](const Run& run) { kernels().batch_moments(run, p); }, {}};
  });
}

Napi::Value batch_norm(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    BatchNorm p = read_batch_norm(args);
    p.out = args.output<float>("out", p.rows * p.channels);
    return {[p](const Run& run) { kernels().batch_norm(run, p); }, {}};
  });
}

Napi::Value batch_norm_gradient(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    BatchNormGradient p;
    p.forward = read_batch_norm(args);
    p.dy = args.input<float>("dy", p.forward.rows * p.forward.channels);
    p.dx = args.output<float>("dx", p.forward.rows * p.forward.channels);
    p.d_scale = args.output<float>("dScale", p.forward.channels);
    p.d_offset = args.output<float>("dOffset", p.forward.channels);
    return {[p](const Run& run) { kernels().batch_norm_gradient(run, p); }, {}};
  });
}

}  // namespace eat::addon
