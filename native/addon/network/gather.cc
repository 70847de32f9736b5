#include "../../contracts/network/gather.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value gather(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Gather p;
    p.batch = args.integer("batch");
    p.outer = args.integer("outer");
    p.size = args.integer("size");
    p.inner = args.integer("inner");
    p.count = args.integer("count");
    p.x = args.input<float>("x", p.batch * p.outer * p.size * p.inner);
    p.indices = args.input<std::int32_t>("indices", p.batch * p.count);
    p.out = args.output<float>("out", p.batch * p.outer * p.count * p.inner);
    return {[p](const Run& run) { kernels().gather(run, p); }, {}};
  });
}

}  // namespace eat::addon
