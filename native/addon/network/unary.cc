#include "../../contracts/network/unary.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value unary(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Unary p;
    p.op = args.choice<UnaryOp>("op");
    p.size = args.integer("size");
    p.x = args.input<float>("x", p.size);
    if (args.has("alpha")) p.alpha = static_cast<float>(args.number("alpha"));
    if (args.has("beta")) p.beta = static_cast<float>(args.number("beta"));
    p.out = args.output<float>("out", p.size);
    return {[p](const Run& run) { kernels().unary(run, p); }, {}};
  });
}

}  // namespace eat::addon
