#include "../../contracts/distance/nearest_neighbors.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value nearest_neighbors(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    NearestNeighbors p;
    p.queries = args.matrix("queries");
    p.points = args.matrix("points");
    p.k = args.integer("k");
    p.metric = args.choice<Metric>("metric");
    p.exclude_self = args.flag("excludeSelf");
    const index_t size = p.queries.batch * p.queries.rows * p.k;
    p.indices = args.output<std::int32_t>("indices", size);
    p.distances = args.output<float>("distances", size);
    return {[p](const Run& run) { kernels().nearest_neighbors(run, p); }, {}};
  });
}

}  // namespace eat::addon
