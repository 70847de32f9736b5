#include "resample.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Resample resample_of(Arguments& args) {
  Resample p;
  p.height = args.integer("height");
  p.width = args.integer("width");
  p.channels = args.integer("channels");
  p.across.count = args.integer("columns");
  p.across.step = args.integer("acrossStep");
  p.across.places = args.input<std::int32_t>("across", p.across.count * p.across.step);
  p.down.count = args.integer("rows");
  p.down.step = args.integer("downStep");
  p.down.places = args.input<std::int32_t>("down", p.down.count * p.down.step);
  p.out = args.output<std::uint8_t>("out", p.down.count * p.across.count * 3);
  return p;
}

Napi::Value resample(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Resample p = resample_of(args);
    p.pixels = args.input<std::uint8_t>("pixels", p.height * p.width * p.channels);
    return {[p](const Run& run) { kernels().resample(run, p); }, {}};
  });
}

}  // namespace eat::addon
