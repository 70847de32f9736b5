#include "../../contracts/clustering/centroid_means.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value centroid_means(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    CentroidMeans p;
    p.points = args.matrix("points");
    p.k = args.integer("k");
    const index_t rows = p.points.batch * p.points.rows, groups = p.points.batch * p.k;
    p.labels = args.input<std::int32_t>("labels", rows);
    if (args.has("weights")) p.weights = args.input<float>("weights", rows);
    p.sums = args.output<double>("sums", groups * p.points.cols);
    p.counts = args.output<double>("counts", groups);
    p.means = args.output<float>("means", groups * p.points.cols);
    return {[p](const Run& run) { kernels().centroid_means(run, p); }, {}};
  });
}

}  // namespace eat::addon
