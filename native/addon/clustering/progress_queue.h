// What a k-means off the event loop reports, delivered on it in order.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>

#include "../../contracts/clustering/kmeans.h"

namespace eat::addon {

class ProgressQueue {
 public:
  // `callback` must not throw. Throws Napi::Error where it cannot be made.
  static std::shared_ptr<ProgressQueue> start(const Napi::Env& env, const Napi::Function& callback);

  // From any thread. An environment that is going away gets nothing.
  void push(const KMeansProgress& at);

  // Once, on the event loop, when nothing is pushed any more: calls `over` when all has been delivered, or never will be.
  void finish(std::function<void()> over);

 private:
  ProgressQueue() = default;
  void end();

  napi_threadsafe_function queue_ = nullptr;
  std::atomic<bool> closed_{false};
  bool ended_ = false;  // the queue is gone
  std::function<void()> over_;
};

// {problem, iteration, changed, inertia}; null where the environment is going away.
napi_value progress_value(napi_env env, const KMeansProgress& at);

}  // namespace eat::addon
