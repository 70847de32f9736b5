#include "../../contracts/network/one_hot.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value one_hot(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    OneHot p;
    p.rows = args.integer("rows");
    p.depth = args.integer("depth");
    p.on = static_cast<float>(args.number("on"));
    p.off = static_cast<float>(args.number("off"));
    p.indices = args.input<std::int32_t>("indices", p.rows);
    p.out = args.output<float>("out", p.rows * p.depth);
    return {[p](const Run& run) { kernels().one_hot(run, p); }, {}};
  });
}

}  // namespace eat::addon
