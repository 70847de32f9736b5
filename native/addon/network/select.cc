#include "../../contracts/network/select.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value select(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Select p;
    p.rows = args.integer("rows");
    p.inner = args.integer("inner");
    p.condition = args.input<std::uint8_t>("condition", p.rows);
    p.t = args.input<float>("t", p.rows * p.inner);
    p.e = args.input<float>("e", p.rows * p.inner);
    p.out = args.output<float>("out", p.rows * p.inner);
    return {[p](const Run& run) { kernels().select(run, p); }, {}};
  });
}

}  // namespace eat::addon
