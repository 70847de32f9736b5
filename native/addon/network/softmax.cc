#include "../../contracts/network/softmax.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value softmax(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Softmax p;
    p.rows = args.integer("rows");
    p.cols = args.integer("cols");
    p.x = args.input<float>("x", p.rows * p.cols);
    p.out = args.output<float>("out", p.rows * p.cols);
    return {[p](const Run& run) { kernels().softmax(run, p); }, {}};
  });
}

}  // namespace eat::addon
