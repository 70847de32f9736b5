#include "../../contracts/network/compare_values.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"
#include "layout.h"

namespace eat::addon {

Napi::Value compare_values(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    CompareValues p;
    p.op = args.choice<CompareOp>("op");
    read_operands(args, p);
    p.out = args.output<std::uint8_t>("out", p.shape[0] * p.shape[1] * p.shape[2] * p.shape[3]);
    return {[p](const Run& run) { kernels().compare_values(run, p); }, {}};
  });
}

}  // namespace eat::addon
