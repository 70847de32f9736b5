#include "../../contracts/network/binary.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"
#include "layout.h"

namespace eat::addon {

Napi::Value binary(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Binary p;
    p.op = args.choice<BinaryOp>("op");
    read_operands(args, p);
    p.out = args.output<float>("out", p.shape[0] * p.shape[1] * p.shape[2] * p.shape[3]);
    return {[p](const Run& run) { kernels().binary(run, p); }, {}};
  });
}

}  // namespace eat::addon
