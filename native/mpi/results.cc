#include "results.h"

#include <cstring>

namespace eat::mpi {
namespace {

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  if (value != nullptr) napi_set_named_property(env, object, name, value);
}

napi_value number(napi_env env, std::int64_t of) {
  napi_value value = nullptr;
  return napi_create_int64(env, of, &value) == napi_ok ? value : nullptr;
}

napi_value text(napi_env env, const char* of) {
  napi_value value = nullptr;
  return napi_create_string_utf8(env, of, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : nullptr;
}

}  // namespace

napi_value make_error(napi_env env, const char* kind, const char* what) {
  napi_value error = nullptr;
  const napi_value message = text(env, what);
  if (message == nullptr || napi_create_error(env, nullptr, message, &error) != napi_ok) return nullptr;
  set(env, error, "kind", text(env, kind));
  return error;
}

napi_value error_value(napi_env env, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Failure& e) {
    return make_error(env, e.kind, e.what());
  } catch (const std::bad_alloc&) {
    return make_error(env, "memory", "Not enough memory for an operation of a group.");
  } catch (const std::exception& e) {
    return make_error(env, "other", e.what());
  } catch (...) {
    return make_error(env, "other", "unknown error");
  }
}

namespace {

// The result's memory as it is; a copy where this runtime takes none from outside.
napi_value buffer(napi_env env, Operation& o) {
  const size_t bytes = static_cast<size_t>(o.count * size_of(o.type));
  napi_value value = nullptr;
  const auto release = [](napi_env, void* data, void*) { release_memory(static_cast<char*>(data)); };
  if (bytes > 0 && napi_create_external_arraybuffer(env, o.values.data(), bytes, release, nullptr, &value) == napi_ok) {
    o.values.release();
    return value;
  }
  void* copy = nullptr;
  if (napi_create_arraybuffer(env, bytes, &copy, &value) != napi_ok) return nullptr;
  if (bytes > 0) std::memcpy(copy, o.values.data(), bytes);
  return value;
}

}  // namespace

napi_value result_value(napi_env env, Operation& o) {
  napi_value result = nullptr, counts = nullptr;
  if (napi_create_object(env, &result) != napi_ok) return nullptr;
  if (o.kind == Kind::begin || o.kind == Kind::split) {
    set(env, result, "group", number(env, o.group));
    set(env, result, "rank", number(env, o.rank));
    set(env, result, "size", number(env, o.size));
  }
  if (o.type != Type::none) set(env, result, "buffer", buffer(env, o));
  if (o.kind == Kind::all_gather && napi_create_array_with_length(env, o.counts.size(), &counts) == napi_ok) {
    for (size_t r = 0; r < o.counts.size(); r++) napi_set_element(env, counts, static_cast<std::uint32_t>(r), number(env, o.counts[r]));
    set(env, result, "counts", counts);
  }
  return result;
}

}  // namespace eat::mpi
