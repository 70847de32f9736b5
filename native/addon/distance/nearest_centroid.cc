#include "../../contracts/distance/nearest_centroid.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value nearest_centroid(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    NearestCentroid p;
    p.points = args.matrix("points");
    p.centroids = args.matrix("centroids");
    const index_t rows = p.points.batch * p.points.rows;
    p.labels = args.output<std::int32_t>("labels", rows);
    p.distances = args.output<float>("distances", rows);
    p.second_distances = args.output<float>("secondDistances", rows);
    return {[p](const Run& run) { kernels().nearest_centroid(run, p); }, {}};
  });
}

}  // namespace eat::addon
