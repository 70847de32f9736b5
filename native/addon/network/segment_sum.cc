#include "../../contracts/network/segment_sum.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value segment_sum(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    SegmentSum p;
    p.rows = args.integer("rows");
    p.inner = args.integer("inner");
    p.segments = args.integer("segments");
    p.x = args.input<float>("x", p.rows * p.inner);
    p.ids = args.input<std::int32_t>("ids", p.rows);
    p.out = args.output<float>("out", p.segments * p.inner);
    return {[p](const Run& run) { kernels().segment_sum(run, p); }, {}};
  });
}

}  // namespace eat::addon
