// A call off the event loop. Its environment may go away while it runs: then nothing is settled, and nothing throws.
#pragma once

#include <atomic>
#include <exception>

#include "call.h"

namespace eat::addon {

class Work {
 public:
  // Queues the call and returns {promise, cancel()}. `object` keeps the arrays that results are written to.
  static Napi::Value start(const Napi::Env& env, const Napi::Object& object, Arguments arguments, Prepared prepared, Run run);

 private:
  Work(const Napi::Env& env, const Napi::Object& object, Arguments arguments, Prepared prepared, Run run);
  ~Work();
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  Napi::Value handle();
  void execute();
  void settle();  // deletes this

  napi_env env_;
  napi_async_work work_ = nullptr;
  napi_deferred deferred_ = nullptr;
  Napi::ObjectReference object_;
  Arguments arguments_;
  Prepared prepared_;
  Run run_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
  std::exception_ptr error_;
};

}  // namespace eat::addon
