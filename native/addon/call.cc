#include "call.h"

#include <string>

#include "../cpu/engine/thread_pool.h"
#include "work.h"

namespace eat::addon {
namespace {

void set(napi_env env, napi_value object, const char* name, const std::string& text) {
  napi_value value = nullptr;
  if (napi_create_string_utf8(env, text.c_str(), text.size(), &value) == napi_ok) napi_set_named_property(env, object, name, value);
}

napi_value make_error(napi_env env, const char* kind, const std::string& text) {
  napi_value message = nullptr, error = nullptr;
  if (napi_create_string_utf8(env, text.c_str(), text.size(), &message) != napi_ok) return nullptr;
  if (napi_create_error(env, nullptr, message, &error) != napi_ok) return nullptr;
  set(env, error, "kind", kind);
  return error;
}

napi_value located_error(napi_env env, const char* kind, const char* argument, index_t row) {
  const napi_value error = make_error(env, kind, argument);
  if (error == nullptr) return nullptr;
  set(env, error, "argument", argument);
  napi_value at = nullptr;
  if (napi_create_double(env, static_cast<double>(row), &at) == napi_ok) napi_set_named_property(env, error, "row", at);
  return error;
}

}  // namespace

napi_value error_value(napi_env env, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const NotFinite& e) {
    return located_error(env, "notFinite", e.argument, e.row);
  } catch (const OutsideBox& e) {
    return located_error(env, "outsideBox", e.argument, e.row);
  } catch (const Cancelled&) {
    return make_error(env, "cancelled", "cancelled");
  } catch (const std::bad_alloc&) {
    return make_error(env, "memory", "out of memory");
  } catch (const std::exception& e) {
    return make_error(env, "other", e.what());
  } catch (...) {
    return make_error(env, "other", "unknown error");
  }
}

Napi::Value call(const Napi::CallbackInfo& info, Prepared (*prepare)(const Napi::Env&, Arguments&)) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "Expected an object of arguments.");
  const Napi::Object object = info[0].As<Napi::Object>();
  const bool async = info[1].ToBoolean();
  Arguments arguments(object, async);
  Run run;
  run.threads = default_threads();
  run.check_finite = !arguments.has("checkFinite") || arguments.flag("checkFinite");
  Prepared prepared = prepare(env, arguments);
  if (arguments.has("fresh") && arguments.flag("fresh")) arguments.use_huge_pages_for_outputs();
  if (async) return Work::start(env, object, std::move(arguments), std::move(prepared), run);
  prepared.body(run);
  return env.Undefined();
}

}  // namespace eat::addon
