#include "../../contracts/network/pool2d.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"
#include "geometry.h"

namespace eat::addon {

Napi::Value pool2d(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Pool2D p;
    p.geometry = read_geometry(args);
    p.op = args.choice<PoolOp>("op");
    p.x = args.input<float>("x", input_size(p.geometry));
    p.out = args.output<float>("out", output_size(p.geometry));
    return {[p](const Run& run) { kernels().pool2d(run, p); }, {}};
  });
}

Napi::Value pool2d_gradient(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Pool2DGradient p;
    p.geometry = read_geometry(args);
    p.op = args.choice<PoolOp>("op");
    if (p.op == PoolOp::max) p.x = args.input<float>("x", input_size(p.geometry));
    p.dy = args.input<float>("dy", output_size(p.geometry));
    p.dx = args.output<float>("dx", input_size(p.geometry));
    return {[p](const Run& run) { kernels().pool2d_gradient(run, p); }, {}};
  });
}

}  // namespace eat::addon
