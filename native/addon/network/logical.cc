#include "../../contracts/network/logical.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value logical(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Logical p;
    p.op = args.choice<LogicalOp>("op");
    p.size = args.integer("size");
    p.a = args.input<std::uint8_t>("a", p.size);
    if (p.op != LogicalOp::logical_not) p.b = args.input<std::uint8_t>("b", p.size);
    p.out = args.output<std::uint8_t>("out", p.size);
    return {[p](const Run& run) { kernels().logical(run, p); }, {}};
  });
}

}  // namespace eat::addon
