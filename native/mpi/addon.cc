// The addon's exports: info(), begin(launch) and run(operation), which return promises of what the communication thread made, and
// runNow(operation), which waits for it.
#include <napi.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "arguments.h"
#include "engine.h"
#include "results.h"

namespace eat::mpi {
namespace {

// The event loop that began MPI. It is kept alive while an operation is on its way, and no longer. One in a process, never freed: the
// communication thread holds its queue.
struct Loop {
  napi_threadsafe_function queue = nullptr;
  int in_flight = 0;
  bool over = false;
};

struct Pending {
  Loop* loop;
  napi_deferred deferred;
  std::unique_ptr<Operation> operation;
};

void settle(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
  if (env == nullptr) return;
  Loop& loop = *pending->loop;
  Operation& o = *pending->operation;
  // No result without memory for it: then the promise is rejected too.
  const napi_value result = o.error ? nullptr : result_value(env, o);
  if (result != nullptr) {
    napi_resolve_deferred(env, pending->deferred, result);
  } else {
    const napi_value error = o.error ? error_value(env, o.error) : make_error(env, "memory", "Not enough memory for a result.");
    if (error != nullptr) napi_reject_deferred(env, pending->deferred, error);
  }
  if (--loop.in_flight == 0) napi_unref_threadsafe_function(env, loop.queue);
  if (o.kind == Kind::finalize ? !o.error : o.kind == Kind::begin && o.error) loop.over = true;
}

Napi::Value submit(const Napi::Env& env, Loop& loop, std::unique_ptr<Operation> operation) {
  const napi_threadsafe_function queue = loop.queue;
  napi_value promise = nullptr;
  auto pending = std::make_shared<std::unique_ptr<Pending>>(new Pending{&loop, nullptr, nullptr});
  require(env, napi_create_promise(env, &(*pending)->deferred, &promise));
  const auto done = [pending, queue](std::unique_ptr<Operation> operation) {
    (*pending)->operation = std::move(operation);
    Pending* data = pending->release();
    if (napi_call_threadsafe_function(queue, data, napi_tsfn_nonblocking) != napi_ok) delete data;
  };
  // By the thread that calls it, which would else be inside a call while the event loop frees it.
  const auto over = [queue] { napi_release_threadsafe_function(queue, napi_tsfn_release); };
  Engine::instance().submit(std::move(operation), done, over);
  if (loop.in_flight++ == 0) napi_ref_threadsafe_function(env, loop.queue);
  return Napi::Value(env, promise);
}

void left(void*) { Engine::instance().leave(); }

// {group, rank, size} of all ranks.
Napi::Value begin(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object launch = info[0].As<Napi::Object>();
  auto o = std::make_unique<Operation>();
  o->kind = Kind::begin;
  o->launch = {integer(launch, "size"), integer(launch, "stallSeconds"), string(launch, "variable"), string(launch, "launcher")};
  Engine::instance().claim();
  Loop* loop = new Loop;
  require(env, napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "eat-dml mpi"), 0, 1, nullptr, nullptr, nullptr,
                                               settle, &loop->queue));
  napi_unref_threadsafe_function(env, loop->queue);
  require(env, napi_set_instance_data(env, loop, nullptr, nullptr));
  // After the queue's own, so that it is called before.
  require(env, napi_add_env_cleanup_hook(env, left, nullptr));
  return submit(env, *loop, std::move(o));
}

// The loop of the thread that began MPI, if it is this one and has not ended it.
Loop& loop_of(const Napi::Env& env) {
  void* loop = nullptr;
  require(env, napi_get_instance_data(env, &loop));
  if (loop == nullptr || static_cast<Loop*>(loop)->over) throw Failure("state", "Expected a group of this thread that is not finalized.");
  return *static_cast<Loop*>(loop);
}

// Of what operation_of reads: {buffer?, counts?, group?, rank?, size?}.
Napi::Value run(const Napi::CallbackInfo& info) {
  Loop& loop = loop_of(info.Env());
  return submit(info.Env(), loop, operation_of(info[0].As<Napi::Object>()));
}

// What a call that waits shares with the communication thread, which may come to it after the call has given up.
struct Awaited {
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_ptr<Operation> done;
};

// False where JavaScript may not run any more: the thread is to end, and its environment goes.
bool is_alive(const Napi::Env& env) {
  const Napi::HandleScope scope(env);
  napi_value script = nullptr, result = nullptr;
  return napi_create_string_utf8(env, "0", 1, &script) == napi_ok && napi_run_script(env, script, &result) == napi_ok;
}

// What it came to, once it is done. A worker that is told to end meanwhile does so, without the result; that aborts the job as any end
// without finalize().
Napi::Value wait_for(const Napi::Env& env, Awaited& awaited, const Napi::Value& into) {
  std::unique_lock<std::mutex> lock(awaited.mutex);
  while (!awaited.changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return awaited.done != nullptr; })) {
    lock.unlock();
    if (!is_alive(env)) return Napi::Value();
    lock.lock();
  }
  if (awaited.done->error) std::rethrow_exception(awaited.done->error);
  copy_result(into, *awaited.done);
  const napi_value result = result_value(env, *awaited.done);
  if (result == nullptr) throw std::bad_alloc();
  return Napi::Value(env, result);
}

std::shared_ptr<Awaited> submit_awaited(const Napi::CallbackInfo& info) {
  loop_of(info.Env());
  const auto awaited = std::make_shared<Awaited>();
  const auto done = [awaited](std::unique_ptr<Operation> operation) {
    const std::lock_guard<std::mutex> lock(awaited->mutex);
    awaited->done = std::move(operation);
    awaited->changed.notify_all();
  };
  Engine::instance().submit(operation_of(info[0].As<Napi::Object>()), done);
  return awaited;
}

// As run(), but waits, and returns or throws: for work that cannot be left in its midst. What was queued before is done before. The result goes
// to the operation's `into`, where it has one.
Napi::Value run_now(const Napi::CallbackInfo& info) {
  const auto awaited = submit_awaited(info);
  return wait_for(info.Env(), *awaited, info[0].As<Napi::Object>().Get("into"));
}

// `function`, with whatever it throws as a JavaScript error: a C++ exception that reached Node would end the process.
template <class Function>
Napi::Value in_words(const Napi::Env& env, Function&& function) {
  try {
    return function();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    const napi_value error = error_value(env, std::current_exception());
    if (error != nullptr) napi_throw(env, error);
    return env.Undefined();
  }
}

// As run(), and gives a function that waits for it as run_now() does, to be called once, with what is `into` there.
Napi::Value start(const Napi::CallbackInfo& info) {
  const auto awaited = submit_awaited(info);
  return Napi::Function::New(info.Env(), [awaited](const Napi::CallbackInfo& call) {
    return in_words(call.Env(), [&] { return wait_for(call.Env(), *awaited, call[0]); });
  });
}

// {library}: the MPI that is loaded.
Napi::Value about(const Napi::CallbackInfo& info) {
  Napi::Object o = Napi::Object::New(info.Env());
  o.Set("library", library_name());
  return o;
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  return in_words(info.Env(), [&] { return function(info); });
}

}  // namespace
}  // namespace eat::mpi

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  using namespace eat::mpi;
  exports.Set("info", Napi::Function::New(env, guarded<about>, "info"));
  exports.Set("begin", Napi::Function::New(env, guarded<begin>, "begin"));
  exports.Set("run", Napi::Function::New(env, guarded<run>, "run"));
  exports.Set("runNow", Napi::Function::New(env, guarded<run_now>, "runNow"));
  exports.Set("start", Napi::Function::New(env, guarded<start>, "start"));
  return exports;
}
NODE_API_MODULE(eat_dml_mpi, Init)
