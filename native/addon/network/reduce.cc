#include "../../contracts/network/reduce.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value reduce(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Reduce p;
    p.op = args.choice<ReduceOp>("op");
    p.outer = args.integer("outer");
    p.reduced = args.integer("reduced");
    p.inner = args.integer("inner");
    p.x = args.input<float>("x", p.outer * p.reduced * p.inner);
    p.out = args.output<float>("out", p.outer * p.inner);
    return {[p](const Run& run) { kernels().reduce(run, p); }, {}};
  });
}

}  // namespace eat::addon
