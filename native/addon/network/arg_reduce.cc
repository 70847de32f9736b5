#include "../../contracts/network/arg_reduce.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value arg_reduce(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    ArgReduce p;
    p.op = args.choice<ArgReduceOp>("op");
    p.outer = args.integer("outer");
    p.reduced = args.integer("reduced");
    p.inner = args.integer("inner");
    p.x = args.input<float>("x", p.outer * p.reduced * p.inner);
    p.out = args.output<std::int32_t>("out", p.outer * p.inner);
    return {[p](const Run& run) { kernels().arg_reduce(run, p); }, {}};
  });
}

}  // namespace eat::addon
