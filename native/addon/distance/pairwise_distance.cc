#include "../../contracts/distance/pairwise_distance.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value pairwise_distance(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    PairwiseDistance p;
    p.a = args.matrix("a");
    p.b = args.matrix("b");
    p.metric = args.choice<Metric>("metric");
    p.out = args.output<float>("out", p.a.batch * p.a.rows * p.b.rows);
    return {[p](const Run& run) { kernels().pairwise_distance(run, p); }, {}};
  });
}

}  // namespace eat::addon
