#include "progress_queue.h"

namespace eat::addon {
namespace {

bool set(napi_env env, napi_value object, const char* name, double number) {
  napi_value value = nullptr;
  return napi_create_double(env, number, &value) == napi_ok && napi_set_named_property(env, object, name, value) == napi_ok;
}

void deliver(napi_env env, napi_value callback, void*, void* data) {
  const std::unique_ptr<KMeansProgress> at(static_cast<KMeansProgress*>(data));
  if (env == nullptr || callback == nullptr) return;  // the environment is going away
  napi_value progress = progress_value(env, *at), receiver = nullptr;
  if (progress == nullptr || napi_get_undefined(env, &receiver) != napi_ok) return;
  napi_call_function(env, receiver, callback, 1, &progress, nullptr);
}

}  // namespace

napi_value progress_value(napi_env env, const KMeansProgress& at) {
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  const bool whole = set(env, object, "problem", static_cast<double>(at.problem)) && set(env, object, "iteration", static_cast<double>(at.iteration)) &&
                     set(env, object, "changed", static_cast<double>(at.changed)) && set(env, object, "inertia", at.inertia);
  return whole ? object : nullptr;
}

std::shared_ptr<ProgressQueue> ProgressQueue::start(const Napi::Env& env, const Napi::Function& callback) {
  std::shared_ptr<ProgressQueue> made(new ProgressQueue);
  // The queue holds its owner until it is gone itself.
  auto* held = new std::shared_ptr<ProgressQueue>(made);
  const auto gone = [](napi_env, void* data, void*) {
    const std::unique_ptr<std::shared_ptr<ProgressQueue>> owner(static_cast<std::shared_ptr<ProgressQueue>*>(data));
    (*owner)->end();
  };
  const napi_status status = napi_create_threadsafe_function(env, callback, nullptr, Napi::String::New(env, "eat-dml kmeans"), 0, 1,
                                                             held, gone, nullptr, deliver, &made->queue_);
  if (status == napi_ok) return made;
  delete held;
  throw Napi::Error::New(env);
}

void ProgressQueue::push(const KMeansProgress& at) {
  if (closed_) return;
  auto copy = std::make_unique<KMeansProgress>(at);
  const napi_status status = napi_call_threadsafe_function(queue_, copy.get(), napi_tsfn_nonblocking);
  if (status == napi_ok) copy.release();
  if (status == napi_closing) closed_ = true;  // it must not be touched again
}

void ProgressQueue::finish(std::function<void()> over) {
  if (ended_) return over();
  over_ = std::move(over);
  if (!closed_.exchange(true)) napi_release_threadsafe_function(queue_, napi_tsfn_release);
}

void ProgressQueue::end() {
  ended_ = true;
  closed_ = true;
  if (over_) std::exchange(over_, nullptr)();
}

}  // namespace eat::addon
