#include "work.h"

namespace eat::addon {
namespace {

void require(const Napi::Env& env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env);
}

}  // namespace

Work::Work(const Napi::Env& env, const Napi::Object& object, Arguments arguments, Prepared prepared, Run run)
    : env_(env), object_(Napi::Persistent(object)), arguments_(std::move(arguments)), prepared_(std::move(prepared)), run_(run),
      cancelled_(std::make_shared<std::atomic<bool>>(false)) {
  run_.cancel = cancelled_.get();
}

Work::~Work() {
  if (work_ != nullptr) napi_delete_async_work(env_, work_);
}

Napi::Value Work::start(const Napi::Env& env, const Napi::Object& object, Arguments arguments, Prepared prepared, Run run) {
  struct Delete {
    void operator()(Work* work) const { delete work; }
  };
  std::unique_ptr<Work, Delete> work(new Work(env, object, std::move(arguments), std::move(prepared), run));
  const auto execute = [](napi_env, void* data) { static_cast<Work*>(data)->execute(); };
  const auto complete = [](napi_env, napi_status, void* data) {
    auto* self = static_cast<Work*>(data);
    if (self->prepared_.before_settling) self->prepared_.before_settling([self] { self->settle(); });
    else self->settle();
  };
  require(env, napi_create_async_work(env, nullptr, Napi::String::New(env, "eat-dml"), execute, complete, work.get(), &work->work_));
  const Napi::Value handle = work->handle();
  require(env, napi_queue_async_work(env, work->work_));
  work.release();  // settle() deletes it
  return handle;
}

Napi::Value Work::handle() {
  const Napi::Env env(env_);
  napi_value promise = nullptr;
  require(env, napi_create_promise(env, &deferred_, &promise));
  Napi::Object out = Napi::Object::New(env);
  out.Set("promise", Napi::Value(env, promise));
  out.Set("cancel", Napi::Function::New(env, [flag = cancelled_](const Napi::CallbackInfo&) { flag->store(true); }));
  return out;
}

void Work::execute() {
  try {
    prepared_.body(run_);
  } catch (...) {
    error_ = std::current_exception();
  }
}

// Every status is left alone: they fail where the environment is going away, and then nobody waits for the promise.
void Work::settle() {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) == napi_ok) {
    if (error_) {
      const napi_value error = error_value(env_, error_);
      if (error != nullptr) napi_reject_deferred(env_, deferred_, error);
    } else {
      napi_value nothing = nullptr;
      if (napi_get_undefined(env_, &nothing) == napi_ok) napi_resolve_deferred(env_, deferred_, nothing);
    }
    napi_close_handle_scope(env_, scope);
  }
  delete this;
}

}  // namespace eat::addon
