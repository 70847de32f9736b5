#include "../../contracts/network/pixel_values.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value pixel_values(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    PixelValues p;
    p.size = args.integer("size");
    p.bytes = args.input<std::uint8_t>("bytes", p.size);
    p.out = args.output<float>("out", p.size);
    return {[p](const Run& run) { kernels().pixel_values(run, p); }, {}};
  });
}

}  // namespace eat::addon
