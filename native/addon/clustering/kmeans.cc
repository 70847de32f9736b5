#include "../../contracts/clustering/kmeans.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"
#include "progress_queue.h"

namespace eat::addon {
namespace {

// Calls `callback` for every iteration: at once when sync, through a queue on the event loop when async.
void watch(const Napi::Env& env, bool async, const Napi::Function& callback, KMeans& p, Prepared& prepared) {
  if (!async) {
    p.on_iteration = [env, callback](const KMeansProgress& at) { callback.Call({progress_value(env, at)}); };
    return;
  }
  const auto queue = ProgressQueue::start(env, callback);
  p.on_iteration = [queue](const KMeansProgress& at) { queue->push(at); };
  prepared.before_settling = [queue](std::function<void()> settle) { queue->finish(std::move(settle)); };
}

}  // namespace

Napi::Value kmeans(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env& env, Arguments& args) -> Prepared {
    KMeans p;
    // The callback may do anything to the caller's arrays.
    const bool watched = args.has("onIteration");
    if (watched) args.copy_inputs();
    p.points = args.matrix("points");
    p.k = args.integer("k");
    p.max_iterations = args.integer("maxIterations");
    p.tolerance = args.number("tolerance");
    p.pruning = args.flag("pruning");
    p.starts = args.integer("starts");
    const index_t problems = p.points.batch * p.starts;
    p.centroids = args.output<float>("centroids", problems * p.k * p.points.cols);
    p.labels = args.output<std::int32_t>("labels", problems * p.points.rows);
    p.counts = args.output<std::int32_t>("counts", problems * p.k);
    p.inertia = args.output<double>("inertia", problems);
    p.iterations = args.output<std::int32_t>("iterations", problems);
    p.converged = args.output<std::uint8_t>("converged", problems);
    Prepared prepared;
    if (watched) watch(env, args.async(), args.value("onIteration").As<Napi::Function>(), p, prepared);
    prepared.body = [p](const Run& run) { kernels().kmeans(run, p); };
    return prepared;
  });
}

Napi::Value kmeans_plus_plus(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    KMeansPlusPlus p;
    p.points = args.matrix("points");
    p.k = args.integer("k");
    p.trials = args.integer("trials");
    p.block = args.integer("block");
    p.uniforms = args.input<double>("uniforms", p.k * p.trials);
    p.chosen = args.output<std::int32_t>("chosen", p.k);
    return {[p](const Run& run) { kernels().kmeans_plus_plus(run, p); }, {}};
  });
}

}  // namespace eat::addon
