#include "../../contracts/network/top_k.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value top_k(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    TopK p;
    p.rows = args.integer("rows");
    p.cols = args.integer("cols");
    p.k = args.integer("k");
    p.x = args.input<float>("x", p.rows * p.cols);
    p.values = args.output<float>("values", p.rows * p.k);
    p.indices = args.output<std::int32_t>("indices", p.rows * p.k);
    return {[p](const Run& run) { kernels().top_k(run, p); }, {}};
  });
}

}  // namespace eat::addon
