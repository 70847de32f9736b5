// How a kernel is called from JavaScript. A binding unpacks its arguments into the contract's struct and returns a closure; here
// the closure is run at once (sync), or off the event loop (async).
#pragma once

#include <functional>

#include "arguments.h"

namespace eat::addon {

using Body = std::function<void(const Run&)>;

// `before_settling`, where given, is called on the event loop when an async body is over, and calls its argument when the promise
// may settle: after everything that the body reported has been delivered. It is called in an environment that is going away too.
struct Prepared {
  Body body;
  std::function<void(std::function<void()>)> before_settling;
};

// info[0]: the arguments; info[1]: true for async. Sync returns undefined; async returns {promise, cancel()}.
Napi::Value call(const Napi::CallbackInfo& info, Prepared (*prepare)(const Napi::Env&, Arguments&));

// One registered function; every file of this folder defines some of this form, listed in addon.cc.
using Binding = Napi::Value (*)(const Napi::CallbackInfo&);

// A C++ exception as a JavaScript error; `kind`, `argument` and `row` let TypeScript phrase it. Null where the environment is
// going away.
napi_value error_value(napi_env env, const std::exception_ptr& error);

// `function`, with whatever it throws as a JavaScript error: a C++ exception that reached Node would end the process.
template <Binding function>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    const napi_value error = error_value(info.Env(), std::current_exception());
    if (error != nullptr) napi_throw(info.Env(), error);
    return info.Env().Undefined();
  }
}

}  // namespace eat::addon
