#include "../contracts/kmeans.h"

#include "../cpu/kernel_table.h"
#include "call.h"

namespace eat::addon {
namespace {

Napi::Object progress_object(const Napi::Env& env, const KMeansProgress& at) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("problem", Napi::Number::New(env, static_cast<double>(at.problem)));
  o.Set("iteration", Napi::Number::New(env, static_cast<double>(at.iteration)));
  o.Set("changed", Napi::Number::New(env, static_cast<double>(at.changed)));
  o.Set("inertia", Napi::Number::New(env, at.inertia));
  return o;
}

// Calls `callback` for every iteration: at once when sync, through a queue on the event loop when async. The promise settles
// from the queue's finalizer, when every call has been made.
void watch(const Napi::Env& env, bool async, const Napi::Function& callback, KMeans& p, Prepared& prepared) {
  if (!async) {
    p.on_iteration = [env, callback](const KMeansProgress& at) { callback.Call({progress_object(env, at)}); };
    return;
  }
  auto done = std::make_shared<std::function<void()>>();
  auto queue = std::make_shared<Napi::ThreadSafeFunction>(
      Napi::ThreadSafeFunction::New(env, callback, "kmeans", 0, 1, [done](Napi::Env) { (*done)(); }));
  p.on_iteration = [queue](const KMeansProgress& at) {
    queue->NonBlockingCall([at](Napi::Env env, Napi::Function f) { f.Call({progress_object(env, at)}); });
  };
  prepared.settle = [queue, done](std::function<void()> settle) {
    *done = std::move(settle);
    queue->Release();
  };
}

}  // namespace

Napi::Value kmeans(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env& env, Arguments& args) -> Prepared {
    KMeans p;
    p.points = args.matrix("points");
    p.k = args.integer("k");
    p.max_iterations = args.integer("maxIterations");
    p.tolerance = args.number("tolerance");
    p.pruning = args.flag("pruning");
    p.starts = args.integer("starts");
    const index_t problems = p.points.batch * p.starts;
    p.centroids = args.output<float>("centroids", problems * p.k * p.points.cols, true);
    p.labels = args.output<std::int32_t>("labels", problems * p.points.rows);
    p.counts = args.output<std::int32_t>("counts", problems * p.k);
    p.inertia = args.output<double>("inertia", problems);
    p.iterations = args.output<std::int32_t>("iterations", problems);
    p.converged = args.output<std::uint8_t>("converged", problems);
    Prepared prepared;
    if (args.has("onIteration")) {
      watch(env, args.async(), args.value("onIteration").As<Napi::Function>(), p, prepared);
    }
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
